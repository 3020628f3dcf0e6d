"""Exceptions of the rules in `test_layout.py`."""

from __future__ import annotations

COVERED_ELSEWHERE: dict[str, tuple[str, str]] = {
    r"cameracheck|finding": (
        "test_check.py",
        "a part of `touchline check`, whose findings are tested as printed",
    ),
    r"capture\.(assembly|front)": (
        "system/test_match_day.py",
        "only construct and connect, for every server that runs",
    ),
    r"capture\.encoding\..*": (
        "capture/cameras/test_pipelines.py",
        "its choice shows in the pipelines",
    ),
    r"capture\.sources\..*": (
        "capture/sources/test_kinds.py",
        "the settings of all kinds are tested by the same tests, and their pipelines too",
    ),
    r"(capture|core)\.(.*\.)?answers": (
        "contract/test_openapi.py",
        "only declares answers; the schema of all answers is compared with the published one",
    ),
    r"capture\.library\.archive": (
        "capture/library/test_library.py",
        "the archive is asked for through the library",
    ),
    r"capture\.live\.sessions": (
        "capture/live/test_signalling.py",
        "sessions are opened by signalling only",
    ),
    r"capture\.live\.shown": (
        "capture/live/test_preview.py",
        "what is shown is decided for the preview only",
    ),
    r"capture\.programs\.viewer": (
        "capture/live/test_preview.py",
        "the preview runs the viewer program",
    ),
    r"capture\.programs\.studio": (
        "capture/processing/test_jobs.py",
        "jobs run the studio program",
    ),
    r"capture\.processing\.presigned": (
        "capture/processing/test_cloud.py",
        "links are signed for the cloud only",
    ),
    r"capture\.recording\.context": (
        "capture/recording/test_recorder.py",
        "the shared collaborators of the recorder",
    ),
    r"client\.errors": ("client/test_rest.py", "errors of the client, raised by it"),
    r"client\.models": ("client/test_rest.py", "only declares the shapes of answers"),
    r"engines\.(control|model|monitoring|status|streams|variants|vpn)\.answers": (
        "contract/test_openapi.py",
        "the schema of all answers is compared with the published one",
    ),
    r"core\.database\.schema": (
        "core/test_migrations.py",
        "only declares tables; migrations are compared with it",
    ),
    r"core\.events\.kinds": ("web/test_schema.py", "only declares the kinds of events"),
    r"core\.migrations\..*": (
        "core/test_migrations.py",
        "migrations are run and compared as a sequence",
    ),
    r"engines\.(assembly|parts|front|demo)": (
        "engines/control/test_reconciler.py",
        "only constructs and connects",
    ),
    r"engines\.control\.retries": (
        "engines/provisioning/test_breaker_recovery.py",
        "says when a start is tried again; tested on a runtime in memory",
    ),
    r"engines\.provisioning\..*": (
        "engines/provisioning/test_provisioner.py",
        "a part of provisioning, tested whole on a runtime in memory",
    ),
    r"engines\.streams\.(collector|content|turns)": (
        "contract/engines/test_streams.py",
        "what engines report is read back as the API shows it",
    ),
    r"engines\.fleet\.(fleet|leases)": (
        "engines/provisioning/test_provisioner.py",
        "the state of the half, read back in each test of engines",
    ),
    r"engines\.restoration": (
        "engines/fleet/test_record.py",
        "the record of an earlier server is taken up by a server that starts there",
    ),
    r"engines\.fleet\.adoption": (
        "engines/fleet/test_record.py",
        "engines are adopted from what is on record",
    ),
    r"engines\.http\..*": (
        "engines/test_hostile_answers.py",
        "what engines answer is tested with engines that answer anything",
    ),
    r"engines\.model\.(model|clock|orders|runtime)": (
        "engines/provisioning/test_provisioner.py",
        "values of the half, in each test of engines",
    ),
    r"engines\.model\.labels": (
        "engines/runtimes/docker/test_json.py",
        "labels are read and written with containers",
    ),
    r"engines\.model\.(listing|rendering)": (
        "contract/engines/test_provisioning.py",
        "answers are tested as documented",
    ),
    r"engines\.vpn\.rendering": ("system/test_engines_vpn.py", "answers are tested as documented"),
    r"engines\.vpn\.facts": ("engines/control/test_plan.py", "facts of a decision, in its table"),
    r"engines\.vpn\.providers": (
        "engines/vpn/test_control.py",
        "a table of names, asked with the control server",
    ),
    r"engines\.runtimes\.docker\.usage": (
        "engines/monitoring/test_usage.py",
        "one test for the usage of all runtimes",
    ),
    r"engines\.runtimes\.process\..*": (
        "engines/runtimes/process/test_runtime.py",
        "a part of the runtime, tested with real processes",
    ),
    r"engines\.(model\.readiness|runtimes\.kind|runtimes\.docker\.kind)": (
        "engines/test_readiness.py",
        "what a kind finds is told by the check of the machine",
    ),
    r"engines\.runtimes\.sense": (
        "engines/runtimes/test_open_runtime.py",
        "looks for what the machine has before a runtime is opened",
    ),
    r"engines\.settings\.runtimes": (
        "engines/runtimes/test_open_runtime.py",
        "settings of runtimes are tested where one is opened",
    ),
    r"engines\.variants\.(catalogue|variantstore)": (
        "engines/variants/test_customvariant.py",
        "the custom variant is kept and listed by it",
    ),
    r"live\.__main__": ("system/test_webrtc.py", "a program; tested as a process"),
    r"live\.hls\.(partlength|playlist|memory)": (
        "live/hls/test_packager.py",
        "the packager writes with it",
    ),
    r"live\.rtsp\.(server|udp)": ("live/rtsp/test_door.py", "players are served over real sockets"),
    r"live\.transcoding\..*": (
        "live/transcoding/test_transcodes.py",
        "transcodes run it on real pictures",
    ),
    r"live\.webrtc\.certificate": ("live/webrtc/test_webrtc.py", "used with each session"),
    r"media\.decodetimes": ("worker/rtp/test_clock.py", "times of cameras are put in order there"),
    r"media\.h264\.pictureorder": (
        "media/h264/test_syntax.py",
        "order of pictures is read with the syntax",
    ),
    r"media\.h264\.codec": ("media/mp4/test_movie.py", "a value, read from a movie box"),
    r"media\.h264\.colour": ("studio/test_colours.py", "colours are followed from camera to file"),
    r"media\.matchfiles": ("media/mp4/test_ordinary.py", "names of files, met in each recording"),
    r"media\.picture\.pitchplay": (
        "studio/test_pitch.py",
        "the pitch is drawn, filmed and calibrated in one test",
    ),
    r"media\.storage\.disk": (
        "worker/test_disks.py",
        "disks that fail are tested under the recorder",
    ),
    r"media\.storage\.mounts": (
        "capture/library/test_recordingsdisk.py",
        "mounts are looked for under the recordings",
    ),
    r"sim\.pitch": (
        "studio/test_pitch.py",
        "the pitch is drawn, filmed and calibrated in one test",
    ),
    r"sim\.(mpegts|sessions)": ("sim/test_engine.py", "a part of the simulated engine"),
    r"sim\.httpserver": ("sim/test_engine.py", "a part of the simulated engine"),
    r"sim\.rtsp\..*": (
        "sim/rtsp/test_connection.py",
        "a part of the simulated camera, tested over its socket, option by option",
    ),
    r"studio\.errors": ("studio/verbs/test_panorama.py", "errors of the verbs, raised by them"),
    r"studio\.__main__": ("capture/processing/test_jobs.py", "a program; tested as a process"),
    r"studio\.pictures\.encoder|studio\.verbs\.edges": (
        "studio/test_cut.py",
        "cuts are coded with it",
    ),
    r"studio\.pictures\.jpeg": ("studio/verbs/test_poster.py", "posters are written with it"),
    r"studio\.pictures\.planes": ("studio/test_colours.py", "pictures are made of planes"),
    r"studio\.pictures\.footage": ("studio/verbs/test_panorama.py", "reads recorded matches"),
    r"studio\.stitching\.matching": (
        "studio/stitching/test_calibration.py",
        "points are matched for a calibration",
    ),
    r"studio\.verbs\.(calibrate|follow)": ("studio/test_pitch.py", "needs a filmed pitch"),
    r"studio\.verbs\.reel": ("studio/test_colours.py", "made of footage with known colours"),
    r"studio\.verbs\.sprites": ("studio/verbs/test_archive.py", "sprites are made of an archive"),
    r"studio\.verbs\.(live|capture)|studio\.pictures\.receiving|studio\.stitching\.sidebyside": (
        "system/test_panorama.py",
        "needs running cameras",
    ),
    r"web\.app": (
        "web/test_description.py",
        "only constructs and connects; the description is of what it connects",
    ),
    r"web\.auth\.cookies": ("web/auth/test_sessions.py", "a session is kept in a cookie"),
    r"web\.files\.cuts": ("system/test_clips.py", "cuts are downloaded there"),
    r"web\.http\.(answers|deps|errors|methods|telemetry|work)": (
        "contract/test_routes.py",
        "under each route",
    ),
    r"web\.models\..*": (
        "contract/test_examples.py",
        "only declares the shapes of answers; the examples of the contract are read with it",
    ),
    r"web\.routes\.engines\..*": (
        "contract/engines/test_provisioning.py",
        "handlers are tested as the API is documented",
    ),
    r"web\.routes\..*": ("contract/test_routes.py", "handlers are tested as the API is documented"),
    r"web\.websocket\.(actions|channels|outbox)": (
        "web/websocket/test_hub.py",
        "under each message of a hub",
    ),
    r"web\.server\.websocket": ("web/websocket/test_sockets.py", "tested over real sockets"),
    r"worker\.__main__": ("worker/test_worker.py", "a program; tested as a process"),
    r"worker\.place": ("worker/test_worker.py", "says where the worker writes"),
    r"worker\.network\.feed": (
        "worker/network/test_camera.py",
        "feeds the pipeline of a network camera",
    ),
    r"worker\.pipeline\..*": (
        "worker/pipeline/test_pipeline.py",
        "a part of the pipeline, tested with GStreamer",
    ),
    r"worker\.recording\..*": (
        "worker/recording/test_recorder.py",
        "a part of the recorder, tested on the files that it leaves",
    ),
    r"worker\.rtp\..*": (
        "worker/rtp/test_properties.py",
        "a stage of the receiver, tested with whole streams",
    ),
    r"worker\.rtsp\.media\.udp|worker\.rtsp\.session": (
        "worker/network/test_camera.py",
        "tested with simulated cameras",
    ),
    r"worker\.rtsp\..*": (
        "worker/rtsp/test_opening.py",
        "a part of a conversation with a camera, tested whole",
    ),
}
"""Modules that are tested as parts of something larger: the test that covers them, and why."""
