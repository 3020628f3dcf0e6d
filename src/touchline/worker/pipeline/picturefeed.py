"""The simulated camera: draws pictures at the pace of the clock and feeds them to a pipeline."""

from __future__ import annotations

import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.ipc.wire import Element, SimulatedPicture
from touchline.worker.pipeline.pitchpicture import open_picture

_QUEUED_AT_MOST = 2


def appsrc_for(picture: SimulatedPicture) -> Element:
    """Create the element that a `PictureFeed` feeds."""
    caps = (
        f"video/x-raw,format=I420,width={picture.width:d},height={picture.height:d},"
        f"framerate={picture.fps_numerator:d}/{picture.fps_denominator:d}"
    )
    return Element("appsrc", {"is-live": True, "format": "time", "block": False, "caps": caps})


class PictureFeed:
    """A source for `appsrc`, active until `stopping` is set; `skipped` counts rejected pictures."""

    def __init__(self, picture: SimulatedPicture, appsrc: Any, stopping: threading.Event) -> None:
        self.skipped = 0
        self._picture = picture
        self._appsrc = appsrc
        self._stopping = stopping

    def run(self, base_ns: int) -> None:
        """Draw picture n at n periods of CLOCK_MONOTONIC: all simulated cameras are in phase.

        `base_ns` is the pipeline's base time; no picture is older.
        """
        picture = self._picture
        numerator, denominator = picture.fps_numerator, picture.fps_denominator
        drawn = open_picture(picture)
        second = 1_000_000_000 * denominator
        index = (base_ns * numerator + second - 1) // second
        while not self._stopping.is_set():
            at_ns = index * second // numerator
            ahead_s = (at_ns - time.monotonic_ns()) / 1e9
            if ahead_s > 0 and self._stopping.wait(ahead_s):
                return
            queued = self._appsrc.get_property("current-level-buffers")
            if ahead_s < -2 * denominator / numerator or queued > _QUEUED_AT_MOST:
                self.skipped += 1  # like a real camera whose frames are not read
                index += 1
                continue
            buffer = Gst.Buffer.new_wrapped(drawn.frame(index & 0xFFFFFFFF, time.time()))
            buffer.pts = at_ns - base_ns
            buffer.duration = second // numerator
            if self._appsrc.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return
            index += 1
