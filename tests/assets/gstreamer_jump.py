"""Play a URL with GStreamer's uridecodebin3 from a second on, into a film of its grey pictures.

Usage: gstreamer_jump.py URL AT_S FILM. It jumps as players do, once there is a picture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstApp  # noqa: E402

WITHIN_NS = 60 * Gst.SECOND
PIPELINE = (
    'uridecodebin3 uri="{url}" ! videoconvert ! video/x-raw,format=GRAY8'
    " ! appsink name=sink sync=false max-buffers=4"
)


def settled(pipeline: Gst.Pipeline, what: str) -> None:
    """Wait for a change of state, or say why it did not come."""
    result, *_ = pipeline.get_state(WITHIN_NS)
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
    if message is not None or result != Gst.StateChangeReturn.SUCCESS:
        why = message.parse_error() if message is not None else result
        sys.exit(f"{what}: {why}")


def write(sample: Gst.Sample, film: IO[bytes]) -> None:
    """Append a picture without the padding of its rows."""
    shape = sample.get_caps().get_structure(0)
    width, height = shape.get_value("width"), shape.get_value("height")
    if film.tell() == 0:
        film.write(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 Cmono\n".encode())
    data = sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())
    stride = len(data) // height
    rows = (data[n * stride : n * stride + width] for n in range(height))
    film.write(b"FRAME\n" + b"".join(rows))


def main(url: str, at_s: float, path: Path) -> None:
    """Play from there to the end."""
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE.format(url=url.replace('"', "%22")))
    sink: GstApp.AppSink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PAUSED)
    settled(pipeline, "it shows nothing")
    flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
    if not pipeline.seek_simple(Gst.Format.TIME, flags, round(at_s * Gst.SECOND)):
        sys.exit(f"it does not jump to {at_s} s")
    settled(pipeline, "nothing comes after the jump")
    pipeline.set_state(Gst.State.PLAYING)
    with path.open("wb") as film:
        while (sample := sink.try_pull_sample(WITHIN_NS)) is not None:
            write(sample, film)
    whole = sink.is_eos()
    pipeline.set_state(Gst.State.NULL)
    if not whole:
        sys.exit("it stopped before the end")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
