"""Decode times computed from presentation times, for pictures in decode order.

The n-th picture in decode order gets the time of the n-th picture in presentation order, minus the
reordering depth. So a constant frame rate gives constant steps, no decode time is later than its
presentation time, and without reordering both are the same. Standard library only.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from touchline.media.h264.pictureorder import PictureOrder
from touchline.media.h264.slices import Slice
from touchline.media.h264.syntax import IDR, Sps

STEP_NS = 11_112
"""Minimum distance of two decode times: a tick of 90 kHz, so that no sample has a duration of 0."""
MAX_DEPTH = 16
_CONFIRMED = 8


class Order(NamedTuple):
    """Position of a picture among those decoded before it."""

    number: int
    """Picture order count: rises in presentation order and restarts with an IDR picture."""
    later: bool
    """Whether the picture is shown after all pictures decoded before it."""
    pictures: int
    """Number of pictures after the latest one before it, or, if negative, before that one.

    It is 1 unless further pictures will be shown in between.
    """
    first: bool
    """Whether all earlier pictures are shown before it, and none that follows before them."""


class Reordering:
    """Determines how many pictures are decoded ahead of one that is shown before them.

    The depth is the one that the stream states. If it states none, the depth is 0 until the order
    counts show reordering, and then the most that the stream's picture buffer can hold.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.decided = False
        """Whether `depth` is more than a guess from a single picture."""
        self._order = PictureOrder()
        self._counts: list[int] = []
        self._step = 2
        self._steps_seen = 0

    def see(self, head: Slice, sps: Sps) -> Order:
        """Process the first slice header of the next picture."""
        count = self._order.count(head, sps)
        first = head.unit_type == IDR or not self._counts
        if head.unit_type == IDR:
            self._counts.clear()
        top = max(self._counts, default=count)
        self._observe(count, top, sps, first=first)
        self._counts = [*self._counts[-MAX_DEPTH:], count]
        pictures = round((count - top) / self._step)
        later = first or count > top
        return Order(count, later, max(pictures, 1) if later else min(pictures, -1), first)

    def _observe(self, count: int, top: int, sps: Sps, *, first: bool) -> None:
        stated = sps.reorder_frames
        behind = sum(1 for each in self._counts if each > count)
        if stated is not None:
            self.decided = True
            self.depth = max(stated, self.depth if first else max(self.depth, behind))
            self.depth = min(self.depth, MAX_DEPTH)
        elif not first:
            self.decided = True
            gap = count - top
            if 0 < gap < self._step:
                self._step = gap
            begun = count > top and gap > self._step and self._steps_seen < _CONFIRMED
            self._steps_seen += 0 < gap <= self._step
            if behind or begun:
                room = min(sps.max_dpb_frames, max(sps.max_ref_frames, 1))
                self.depth = min(max(self.depth, behind, room), MAX_DEPTH)


class DecodeTimes:
    """Assigns a decode time to each picture; decode times always increase."""

    def __init__(self) -> None:
        self._pending: list[int] = []
        self._last_ns: int | None = None

    def place(
        self, pts_ns: int, *, depth: int, interval_ns: int, first: bool = False
    ) -> tuple[int, int]:
        """Return the presentation time and the decode time of the next picture.

        `first` says that everything before it is shown before it. The presentation time is
        unchanged unless it is earlier than pictures that were already decoded.
        """
        if first and self._pending and pts_ns - self._pending[-1] > 2 * interval_ns:
            self._pending.clear()  # a gap in the footage precedes a keyframe
        missing = depth - len(self._pending)
        if missing > 0:
            self._insert_earlier(pts_ns, missing, interval_ns)
        insort(self._pending, pts_ns)
        dts_ns = self._pending.pop(0)
        if self._last_ns is not None:
            dts_ns = max(dts_ns, self._last_ns + STEP_NS)
        dts_ns = max(dts_ns, 0)
        self._last_ns = dts_ns
        return max(pts_ns, dts_ns), dts_ns

    def _insert_earlier(self, pts_ns: int, missing: int, interval_ns: int) -> None:
        """Insert times of imagined earlier pictures, evenly spaced after the last decode time."""
        first_ns = pts_ns - (missing + 1) * interval_ns
        until_ns = self._pending[0] if self._pending else pts_ns
        if self._last_ns is not None and first_ns < self._last_ns:
            first_ns, until_ns = self._last_ns, min(until_ns, self._last_ns + interval_ns)
        step_ns = max((until_ns - first_ns) // (missing + 1), 0)
        for number in range(1, missing + 1):
            insort(self._pending, first_ns + number * step_ns)
