"""RTSP streams of one prepared H.264 file: what a network camera sends, at next to no cost.

Run as a program it serves the file at its own pace, to each client from its start, and prints
`ready PORT`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import _processes

WIDTH, HEIGHT, FPS, BITRATE_KBPS, GOP_FRAMES = 1920, 1080, 30, 12_000, 30
ENCODED_S, REPEATED = 10, 9
LASTS_S = ENCODED_S * REPEATED
DESCRIPTION = f"RTSP streams of a prepared file, {HEIGHT}p{FPS}, {BITRATE_KBPS / 1000:g} Mbit/s"


def make_file(path: Path) -> None:
    """An MP4 of noisy pictures, which take all of the bitrate."""
    rate, once = f"{BITRATE_KBPS}k", path.with_suffix(".once.mp4")
    quiet = ("ffmpeg", "-nostdin", "-y", "-loglevel", "error")
    subprocess.run(
        [
            *(*quiet, "-f", "lavfi", "-i"),
            f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FPS},noise=alls=12:allf=t",
            *("-t", str(ENCODED_S), "-pix_fmt", "yuv420p", "-c:v", "libx264"),
            *("-preset", "ultrafast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate),
            *("-g", str(GOP_FRAMES), "-sc_threshold", "0", "-bf", "0", str(once)),
        ],
        check=True,
    )
    repeat = ("-stream_loop", str(REPEATED - 1), "-i", str(once), "-c", "copy", str(path))
    subprocess.run([*quiet, *repeat], check=True)
    once.unlink()


@contextmanager
def streams(path: Path) -> Iterator[str]:
    """The URL of the file; every client gets a stream of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        port = _processes.first_line(process).removeprefix("ready ")
        if not port.isdigit():
            raise RuntimeError("the streams cannot be served")
        yield f"rtsp://127.0.0.1:{port}/stream"
    finally:
        _processes.end(process)


def serve(path: Path) -> None:
    """Serve until killed."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        "( filesrc name=file ! qtdemux ! h264parse config-interval=-1"
        " ! rtph264pay name=pay0 pt=96 )"
    )
    factory.connect(
        "media-configure",
        lambda _factory, media: (
            media.get_element().get_by_name("file").set_property("location", str(path))
        ),
    )
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    server.get_mount_points().add_factory("/stream", factory)
    server.attach(None)
    print(f"ready {server.get_bound_port()}", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
