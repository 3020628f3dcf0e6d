"""Exceptions of the rules in `test_layout.py`."""

from __future__ import annotations

_GROUPS: dict[str, tuple[str, str]] = {
    "finding": (
        "test_check.py",
        "a part of `touchline check`, whose findings are tested as printed",
    ),
    "capture.jobkinds: follow sprites": (
        "capture/jobkinds/test_kinds.py",
        "only declare a kind without an order of its own",
    ),
    "capture.live: sessions": (
        "capture/live/test_signalling.py",
        "sessions are opened by signalling only",
    ),
    "capture.live: shown": (
        "capture/live/test_preview.py",
        "what is shown is decided for the preview only",
    ),
    "capture.programs: studio": (
        "capture/processing/test_jobs.py",
        "jobs run the studio program",
    ),
    "capture.programs: viewer": (
        "capture/live/test_preview.py",
        "the preview runs the viewer program",
    ),
    "capture.recording: context": (
        "capture/recording/test_recorder.py",
        "the shared collaborators of the recorder",
    ),
    (
        "capture: answers\n"
        "capture.cameras: answers\n"
        "capture.host: answers\n"
        "capture.library: answers\n"
        "capture.library.trash: answers\n"
        "capture.library.verification: answers\n"
        "capture.live: answers\n"
        "capture.logs: answers\n"
        "capture.panorama: answers\n"
        "capture.processing: answers\n"
        "capture.recording: answers\n"
        "capture.recording.health: answers\n"
        "capture.recording.verdict: answers\n"
        "capture.settings: answers\n"
        "core: answers\n"
        "core.history: answers\n"
        "engines.provisioning: answers\n"
    ): (
        "contract/test_openapi.py",
        "only declares answers; the schema of all answers is compared with the published one",
    ),
    "capture: assembly front": (
        "system/test_match_day.py",
        "only construct and connect, for every server that runs",
    ),
    "client: errors": (
        "client/test_rest.py",
        "errors of the client, raised by it",
    ),
    "engines.http: errors": (
        "engines/http/test_answers.py",
        "errors of answers, raised by reading them",
    ),
    "client: models": (
        "client/test_rest.py",
        "only declares the shapes of answers",
    ),
    "core.database: schema": (
        "core/database/test_migrations.py",
        "only declares tables; migrations are compared with it",
    ),
    "core.events: kinds": (
        "web/test_schema.py",
        "only declares the kinds of events",
    ),
    "core.database.migrations: earlier": (
        "contract/engines/test_earlier_system.py",
        "a server is started on the database of the earlier program",
    ),
    (
        "core.database.migrations: env\n"
        "core.database.migrations.versions: v0001_events v0002_events_found v0003_engines\n"
        "  v0004_sessions\n"
    ): (
        "core/database/test_migrations.py",
        "migrations are run and compared as a sequence",
    ),
    (
        "engines.control: answers\n"
        "engines.model: answers\n"
        "engines.monitoring: answers\n"
        "engines.status: answers\n"
        "engines.streams: answers\n"
        "engines.variants: answers\n"
        "engines.vpn: answers\n"
    ): (
        "contract/test_openapi.py",
        "the schema of all answers is compared with the published one",
    ),
    "engines.model: clock runtime": (
        "engines/provisioning/test_provisioner.py",
        "values of the half, in each test of engines",
    ),
    ("engines.model: readiness\nengines.runtimes: kind\n"): (
        "engines/test_readiness.py",
        "what a kind finds is told by the check of the machine",
    ),
    "engines.runtimes.process: settings": (
        "engines/runtimes/test_auto.py",
        "only declares settings; one is given there",
    ),
    "engines: assembly demo front parts": (
        "engines/control/test_reconciler.py",
        "only constructs and connects",
    ),
    "live: __main__": (
        "system/test_webrtc.py",
        "a program; tested as a process",
    ),
    "media.h264: codec": (
        "media/mp4/test_movie.py",
        "a value, read from a movie box",
    ),
    "sim: pitch": (
        "media/picture/test_pitchplay.py",
        "the pitch is drawn, filmed and calibrated in one test",
    ),
    "sim.rtsp.media: payload player source tone": (
        "sim/rtsp/media/test_outlet.py",
        "a part of what the simulated camera sends",
    ),
    "sim.rtsp: misbehaviour servedcamera server transport": (
        "sim/rtsp/test_connection.py",
        "a part of the simulated camera, tested over its socket, option by option",
    ),
    "sim: httpserver mpegts": (
        "sim/test_engine.py",
        "a part of the simulated engine",
    ),
    "studio.verbs: live": (
        "system/test_panorama.py",
        "needs running cameras",
    ),
    "web.files: cuts": (
        "system/test_clips.py",
        "cuts are downloaded there",
    ),
    "web.http: deps errors methods telemetry": (
        "contract/test_routes.py",
        "under each route",
    ),
    "web.models.engines: orchestrator provisioning streams variants": (
        "contract/engines/test_provisioning.py",
        "only declares requests and answers, sent and read in the tests of the contract",
    ),
    "web.models: base unknownfields": (
        "web/test_hostile_input.py",
        "what all bodies have in common, tested with bodies that clients must not send",
    ),
    (
        "web.models: errors events links service session\n"
        "web.models.capture: clips details diagnostics library panorama preview processing\n"
        "  recording\n"
    ): (
        "contract/test_examples.py",
        "only declares the shapes of answers; the examples of the contract are read with it",
    ),
    "web.routes.capture: diagnostics": (
        "contract/test_diagnostics.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.capture: library": (
        "contract/test_library.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.capture: matches trash": (
        "contract/test_matches.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.capture: recording": (
        "contract/test_recording.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.engines: cached engines orchestrator provisioning": (
        "contract/engines/test_provisioning.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.engines: streams": (
        "contract/engines/test_streams.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes.engines: structured": (
        "contract/engines/test_refusals.py",
        "the form of refusals is tested as the API is documented",
    ),
    "web.routes.engines: variants": (
        "contract/engines/test_custom_variant.py",
        "handlers are tested as the API is documented",
    ),
    "web.routes: events": (
        "contract/test_events.py",
        "handlers are tested as the API is documented",
    ),
    ("web.routes: service\nweb.routes.capture: cloud panorama processing\n"): (
        "contract/test_routes.py",
        "handlers are tested as the API is documented",
    ),
    "web.server: websocket": (
        "web/websocket/test_sockets.py",
        "tested over real sockets",
    ),
    "web.websocket: actions channels": (
        "web/websocket/test_hub.py",
        "under each message of a hub",
    ),
    "web: app": (
        "web/test_description.py",
        "only constructs and connects; the description is of what it connects",
    ),
    "worker.rtp: accessunits errors": (
        "worker/rtp/test_properties.py",
        "a stage of the receiver, tested with whole streams",
    ),
    "worker.rtsp: errors link": (
        "worker/rtsp/test_opening.py",
        "a part of a conversation with a camera, tested whole",
    ),
    "worker.rtsp: session": (
        "worker/network/test_camera.py",
        "tested with simulated cameras",
    ),
    "worker: __main__": (
        "worker/test_worker.py",
        "a program; tested as a process",
    ),
}
"""Modules of a package, the test that covers them as parts of something larger, and why."""


def _modules_in(group: str) -> list[str]:
    found, package = [], ""
    for word in group.split():
        if word.endswith(":"):
            package = word[:-1] + "."
        else:
            found.append(package + word)
    return found


COVERED_ELSEWHERE: dict[str, tuple[str, str]] = {
    module: covered for group, covered in _GROUPS.items() for module in _modules_in(group)
}
"""Modules without a test at their place, each by its full name."""
