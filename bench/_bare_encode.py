"""A bare pipeline: the simulated camera's pictures, x264 as the server sets it, mp4mux, a file.

Run as a program: `_bare_encode.py WIDTH HEIGHT FPS QUALITY FILE`. The pictures are drawn by the
code the camera worker draws them with, and everything between them and the muxer is what the server
configures, so that what differs is what surrounds it. It prints `ready` when it plays and can be
told to end; told to end, it prints how many pictures it drew, how many it had to leave out, and for
how many seconds it ran.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402, F401

from touchline.capture.cameras.pipelines import build_pipeline  # noqa: E402
from touchline.capture.settings.tree import CaptureSettings  # noqa: E402
from touchline.media.picture.testpicture import TestPicture  # noqa: E402


def chain(width: int, height: int, fps: int, quality: str) -> str:
    """The server's own encoding elements as a launch line (they hold no user's text)."""
    camera = {"kind": "test", "width": width, "height": height, "fps": fps, "quality": quality}
    settings = CaptureSettings.model_validate({"cameras": {"0": camera}, "encoder": "x264enc"})
    spec = build_pipeline(0, settings.cameras[0], settings, ["x264enc"])
    parts = []
    for element in spec.encode:
        properties = dict(element.properties)
        caps = properties.pop("caps", None)
        if caps is not None:
            parts.append(str(caps))
            continue
        text = " ".join(f'{name}="{value}"' for name, value in properties.items())
        parts.append(f"{element.factory} {text}")
    return " ! ".join(parts)


def main() -> None:
    width, height, fps = (int(text) for text in sys.argv[1:4])
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "appsrc name=feed is-live=true format=time ! "
        f"{chain(width, height, fps, sys.argv[4])} ! h264parse ! mp4mux ! filesink name=file"
    )
    pipeline.get_by_name("file").set_property("location", sys.argv[5])
    feed = pipeline.get_by_name("feed")
    caps = f"video/x-raw,format=I420,width={width},height={height},framerate={fps}/1"
    feed.set_property("caps", Gst.Caps.from_string(caps))
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    pipeline.set_state(Gst.State.PLAYING)
    print("ready", flush=True)
    began_s = time.monotonic()
    drawn, skipped = draw(feed, TestPicture("BARE", width, height, fps), fps, ending)
    lasted_s = time.monotonic() - began_s
    feed.emit("end-of-stream")
    pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    print(drawn, skipped, lasted_s, flush=True)


def draw(feed: Any, picture: TestPicture, fps: int, ending: threading.Event) -> tuple[int, int]:
    """Push pictures at their time, as the worker does; how many, and how many were left out."""
    start_ns, index, skipped = time.monotonic_ns(), 0, 0
    while not ending.is_set():
        at_ns = index * 1_000_000_000 // fps
        ahead_s = (start_ns + at_ns - time.monotonic_ns()) / 1e9
        if ahead_s > 0:
            ending.wait(ahead_s)
        if ahead_s < -2 / fps or feed.get_property("current-level-buffers") > 2:
            skipped += 1
        else:
            buffer = Gst.Buffer.new_wrapped(picture.frame(index, time.time()))
            buffer.pts, buffer.duration = at_ns, 1_000_000_000 // fps
            feed.emit("push-buffer", buffer)
        index += 1
    return index - skipped, skipped


if __name__ == "__main__":
    main()
