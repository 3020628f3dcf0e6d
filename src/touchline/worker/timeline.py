"""Where a pipeline's coded pictures belong on the clock of the match."""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from touchline.worker.mp4 import Codec  # noqa: E402
from touchline.worker.tee import Frame  # noqa: E402


class Timeline:
    """Turns one run's samples into frames; their decode times always rise.

    `base_ns` is the pipeline's base time on CLOCK_MONOTONIC. With `loop` a file that begins again
    goes on where its last picture ends.
    """

    def __init__(self, *, loop: bool) -> None:
        self.base_ns = 0
        self._loop = loop
        self._last_dts_ns = 0
        self._segment_base_ns = 0
        self._seam_ns = 0
        self._shown_until_ns = 0

    def frame(self, sample: Any, codec: Codec) -> Frame | None:
        """The frame of a sample; None for one without any time, which cannot be placed."""
        buffer = sample.get_buffer()
        pts, dts, duration = buffer.pts, buffer.dts, buffer.duration
        if pts == Gst.CLOCK_TIME_NONE:
            pts = dts
        if pts == Gst.CLOCK_TIME_NONE:
            return None
        pts_ns = self._shown_at(sample.get_segment(), pts)
        dts_ns = pts_ns if dts == Gst.CLOCK_TIME_NONE else pts_ns - (pts - dts)
        # A camera's own B-frames may come without decode times: keep them rising.
        dts_ns = max(dts_ns, self._last_dts_ns + 1)
        self._last_dts_ns = dts_ns
        duration_ns = 0 if duration == Gst.CLOCK_TIME_NONE else duration
        self._shown_until_ns = max(self._shown_until_ns, pts_ns + duration_ns)
        return Frame(
            data=buffer.extract_dup(0, buffer.get_size()),
            pts_ns=pts_ns,
            dts_ns=dts_ns,
            duration_ns=duration_ns,
            keyframe=not buffer.get_flags() & Gst.BufferFlags.DELTA_UNIT,
            codec=codec,
        )

    def _shown_at(self, segment: Any, pts: int) -> int:
        running: int = segment.to_running_time(Gst.Format.TIME, pts)
        if running == Gst.CLOCK_TIME_NONE:
            running = 0
        if self._loop and segment.base != self._segment_base_ns:
            # GStreamer begins a file again where its last picture begins, not where it ends.
            self._segment_base_ns = segment.base
            self._seam_ns = max(self._seam_ns, self._shown_until_ns - self.base_ns - running)
        return self.base_ns + running + self._seam_ns
