"""Exceptions of the rules in `test_layout.py`."""

from __future__ import annotations

_GROUPS: dict[str, tuple[str, str]] = {
    "engines.http: errors": (
        "engines/http/test_answers.py",
        "declares errors only; reading answers raises them",
    ),
    (
        "core: answers\n"
        "core.history: answers\n"
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
        "engines.control: answers\n"
        "engines.model: answers\n"
        "engines.monitoring: answers\n"
        "engines.provisioning: answers\n"
        "engines.status: answers\n"
        "engines.streams: answers\n"
        "engines.variants: answers\n"
        "engines.vpn: answers\n"
    ): (
        "contract/test_openapi.py",
        "declares types only; the schema of all answers is compared with the published one",
    ),
    (
        "web.models: errors events links service session\n"
        "web.models.capture: clips details diagnostics library preview recording\n"
    ): (
        "contract/test_examples.py",
        "declares types only; the examples of the contract are read with them",
    ),
    "web.models.engines: orchestrator provisioning variants": (
        "contract/engines/test_provisioning.py",
        "declares types only; they are sent and read in the tests of the contract",
    ),
    "finding": ("test_check.py", "declares a type only, of which `touchline check` makes a table"),
    "capture.jobkinds: follow sprites": (
        "capture/jobkinds/test_kinds.py",
        "declares a kind only, without an order of its own",
    ),
    "client: errors models": ("client/test_rest.py", "declares types only, that the client uses"),
    "core.database: schema": (
        "core/database/test_migrations.py",
        "declares tables only; the migrated database is compared with them",
    ),
    "core.events: kinds": (
        "web/test_schema.py",
        "declares words only; the dashboard's are compared with them",
    ),
    "engines.model: clock readiness": (
        "engines/test_readiness.py",
        "declares types only, of what the machine has",
    ),
    ("engines.model: runtime\nengines.runtimes: kind\n"): (
        "engines/runtimes/test_conformance.py",
        "declares interfaces only, which all runtimes fulfil",
    ),
    "engines.runtimes.process: settings": (
        "engines/runtimes/test_auto.py",
        "declares settings only, without a rule of its own",
    ),
    "media.h264: codec": ("media/mp4/test_movie.py", "declares a type only, read from a movie box"),
    "worker.rtp: errors": ("worker/rtp/test_properties.py", "declares an error only"),
    "worker.rtsp: errors": ("worker/rtsp/test_opening.py", "declares errors only, raised there"),
    (
        "core.database.migrations: env\n"
        "core.database.migrations.versions: v0001_events v0002_events_found v0003_engines\n"
        "  v0004_sessions\n"
    ): ("core/database/test_migrations.py", "migrations are run and compared as a sequence"),
    "core.database.migrations: earlier": (
        "contract/engines/test_earlier_system.py",
        "a server is started on the database of the earlier program",
    ),
    "capture: assembly front": (
        "system/test_match_day.py",
        "only construct and connect, for every server that runs",
    ),
    "capture.recording: context": (
        "capture/recording/test_recorder.py",
        "what the parts of the recorder share; it decides nothing by itself",
    ),
    "engines: assembly demo front parts": (
        "engines/control/test_reconciler.py",
        "only construct and connect, for every half that a test opens",
    ),
    "web: app": (
        "web/test_description.py",
        "only constructs and connects; the description is of what it connects",
    ),
    "web.http: deps methods": (
        "contract/test_routes.py",
        "one line each, under each route",
    ),
    "live: __main__": ("system/test_webrtc.py", "a program; tested as a process"),
    "worker: __main__": ("worker/test_worker.py", "a program; tested as a process"),
    "studio.verbs: live": ("system/test_panorama.py", "needs running cameras"),
    "sim: httpserver": ("sim/test_engine.py", "serves the simulated engine, over its socket"),
    "sim.rtsp: misbehaviour servedcamera server": (
        "sim/rtsp/test_connection.py",
        "a part of the simulated camera, tested over its socket, option by option",
    ),
    "sim.rtsp.media: player source": (
        "sim/rtsp/media/test_outlet.py",
        "what the simulated camera sends, tested over its socket, option by option",
    ),
    "web.server: websocket": (
        "web/websocket/test_sockets.py",
        "limits of a connection, tested over real sockets",
    ),
    "worker.rtp: accessunits": (
        "worker/rtp/test_properties.py",
        "a stage of the receiver, tested with whole streams from any packets",
    ),
    "worker.rtsp: link": (
        "worker/rtsp/test_opening.py",
        "connections and TLS, tested with cameras on real sockets",
    ),
    "worker.rtsp: session": (
        "worker/network/test_camera.py",
        "a whole session, tested with simulated cameras",
    ),
    "web.routes: events": ("contract/test_events.py", "handlers, tested as the API is documented"),
    "web.routes.capture: diagnostics": (
        "contract/test_diagnostics.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.capture: library": (
        "contract/test_library.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.capture: matches trash": (
        "contract/test_matches.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.capture: recording": (
        "contract/test_recording.py",
        "handlers, tested as the API is documented",
    ),
    ("web.routes: service\nweb.routes.capture: cloud panorama processing\n"): (
        "contract/test_routes.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.engines: engines orchestrator provisioning": (
        "contract/engines/test_provisioning.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.engines: streams": (
        "contract/engines/test_streams.py",
        "handlers, tested as the API is documented",
    ),
    "web.routes.engines: variants": (
        "contract/engines/test_custom_variant.py",
        "handlers, tested as the API is documented",
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
