"""Positions of a pipeline's encoded pictures on the match clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.ipc.tee import Frame
from touchline.media.decodetimes import DecodeTimes, Order, Reordering
from touchline.media.framerate import FrameRate
from touchline.media.h264 import syntax
from touchline.media.h264 import units as h264
from touchline.media.h264.codec import Codec
from touchline.media.h264.slices import Slice, read_slice, slice_start
from touchline.media.h264.syntax import Pps, Sps
from touchline.worker.pipeline.elements import codec_of

AHEAD_NS = 2_000_000_000
"""The time of a live picture this far in the future is considered unusable."""
_NEGATIVE = 1 << 63
"""Running times are unsigned in GStreamer: one before the base time is near 2 to the 64."""


class Timeline:
    """Conversion of one run's samples to frames, each with its codec and a time of its own.

    `begin_at` sets the pipeline's base time on CLOCK_MONOTONIC. With `loop`, a file that starts
    again continues where its last picture ends. `live` says that pictures arrive as they are
    captured. `own_times` counts pictures whose times could not be used.
    """

    def __init__(
        self,
        *,
        loop: bool,
        live: bool = True,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._base_ns = 0
        self.own_times = 0
        self.codec: Codec | None = None
        self._loop, self._live = loop, live
        self._monotonic_ns = monotonic_ns
        self._caps: Any = None
        self._sets: tuple[Sps, dict[int, Pps]] | None = None
        self._length_bytes = 4
        self._reordering = Reordering()
        self._decode = DecodeTimes()
        self._frame_rate = FrameRate()
        self._top_ns: int | None = None
        self._segment_base_ns = 0
        self._seam_ns = 0
        self._shown_until_ns = 0

    @property
    def base_ns(self) -> int:
        """The pipeline's base time."""
        return self._base_ns

    def begin_at(self, base_ns: int) -> None:
        """Set the pipeline's base time, before the first sample."""
        self._base_ns = base_ns

    def frame(self, sample: Any) -> Frame:
        """Return the frame of a sample. Raises ValueError if its caps do not describe a stream."""
        codec = self._codec_of(sample.get_caps())
        buffer = sample.get_buffer()
        data: bytes = buffer.extract_dup(0, buffer.get_size())
        keyframe = not buffer.get_flags() & Gst.BufferFlags.DELTA_UNIT
        pts = buffer.dts if buffer.pts == Gst.CLOCK_TIME_NONE else buffer.pts
        shown_ns = self._presentation_ns(sample.get_segment(), pts)
        order = self._order(data, shown_ns, keyframe=keyframe)
        pts_ns = self._own_time(shown_ns, order)
        self._learn(pts_ns, order)
        interval_ns = self._frame_rate.interval_ns
        pts_ns, dts_ns = self._decode.place(
            pts_ns, depth=self._reordering.depth, interval_ns=interval_ns, first=order.first
        )
        duration_ns = buffer.duration
        if duration_ns == Gst.CLOCK_TIME_NONE or not 0 < duration_ns < AHEAD_NS:
            duration_ns = interval_ns
        self._top_ns = pts_ns if self._top_ns is None else max(self._top_ns, pts_ns)
        self._shown_until_ns = max(self._shown_until_ns, pts_ns + duration_ns)
        return Frame(data, pts_ns, dts_ns, duration_ns, keyframe, codec)

    def _codec_of(self, caps: Any) -> Codec:
        if self.codec is None or not caps.is_equal(self._caps):
            self.codec, self._caps = codec_of(caps), caps
            self._length_bytes = h264.length_bytes(self.codec.avcc)
            self._sets = _sets_of(self.codec.avcc)
        return self.codec

    # ------------------------------------------------------------------ times

    def _presentation_ns(self, segment: Any, pts: int) -> int | None:
        """Return the presentation time of a picture; None if its buffer has none."""
        if pts == Gst.CLOCK_TIME_NONE:
            return None
        if pts >= _NEGATIVE:
            return self._base_ns + pts - 2 * _NEGATIVE
        running: int = segment.to_running_time(Gst.Format.TIME, pts)
        if running == Gst.CLOCK_TIME_NONE:
            running = 0
        elif running >= _NEGATIVE:
            running -= 2 * _NEGATIVE
        if self._loop and segment.base != self._segment_base_ns:
            # GStreamer begins a file again where its last picture begins, not where it ends.
            self._segment_base_ns = segment.base
            self._seam_ns = max(self._seam_ns, self._shown_until_ns - self._base_ns - running)
        return self._base_ns + running + self._seam_ns

    def _own_time(self, shown_ns: int | None, order: Order) -> int:
        """Return the time of a picture, derived from its neighbours if its own is unusable.

        Raises nothing: every delivered picture gets a time.
        """
        now_ns = self._monotonic_ns()
        usable = shown_ns is not None and shown_ns >= 0
        if usable and self._live:
            usable = shown_ns is not None and shown_ns < max(now_ns, self._base_ns) + AHEAD_NS
        if self._top_ns is None:
            if shown_ns is not None and usable:
                return shown_ns
            self.own_times += 1
            return now_ns if self._live else self._base_ns
        if shown_ns is not None and usable and (shown_ns > self._top_ns or not order.later):
            return shown_ns
        self.own_times += 1
        return self._top_ns + order.pictures * self._frame_rate.interval_ns

    def _learn(self, pts_ns: int, order: Order) -> None:
        step_ns = None if self._top_ns is None else (pts_ns - self._top_ns) // order.pictures
        stated_ns = self._sets[0].frame_ns if self._sets else None
        self._frame_rate.see(pts_ns, self._monotonic_ns(), step_ns=step_ns, stated_ns=stated_ns)

    def _order(self, data: bytes, shown_ns: int | None, *, keyframe: bool) -> Order:
        """Return the picture's order from its slice header, otherwise from its time."""
        head = self._head(data)
        if head is not None and self._sets is not None:
            return self._reordering.see(head, self._sets[0])
        later = shown_ns is None or self._top_ns is None or shown_ns > self._top_ns
        return Order(0, later, 1 if later else -1, first=keyframe and later)

    def _head(self, data: bytes) -> Slice | None:
        if self._sets is None:
            return None
        sps, by_number = self._sets
        try:
            slice_ = h264.first_slice(data, self._length_bytes)
            if slice_ is None:
                return None
            pps = by_number.get(slice_start(slice_)[2])
            return None if pps is None else read_slice(slice_, sps, pps)
        except ValueError:
            return None


def _sets_of(avcc: bytes) -> tuple[Sps, dict[int, Pps]] | None:
    """Return the parameter sets of a decoder configuration; None if they cannot be read."""
    try:
        units = h264.parameter_sets(avcc)
        sps = [syntax.read_sps(u) for u in units if u and u[0] & 0x1F == h264.SPS]
        pps = [syntax.read_pps(u) for u in units if u and u[0] & 0x1F == h264.PPS]
    except ValueError:
        return None
    return (sps[0], {each.pps_id: each for each in pps}) if sps else None
