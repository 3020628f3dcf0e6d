"""Decode times from presentation times, for pictures that are given in decode order.

The n-th picture to be decoded gets the time of the n-th picture to be shown, earlier by the depth
of reordering. So a constant frame rate gives constant steps, no decode time lies after its
presentation time, and without reordering the two are the same. Pure standard library.
"""

from __future__ import annotations

from bisect import insort
from typing import NamedTuple

from touchline.media.h264.pictureorder import PictureOrder
from touchline.media.h264.slices import Slice
from touchline.media.h264.syntax import IDR, Sps

STEP_NS = 11_112
"""The least distance of two decode times: a tick of 90 kHz, so that no sample lasts nothing."""
MAX_DEPTH = 16
_CONFIRMED = 8


class Order(NamedTuple):
    """A picture's place among those decoded before it."""

    number: int
    """Its picture order count: rises as pictures are shown, begins again with an IDR picture."""
    later: bool
    """Whether it is shown after all that came before it."""
    pictures: int
    """How many pictures later than the latest before it (1 unless pictures are to come between),
    or how many pictures earlier, as a negative number."""
    first: bool
    """Whether nothing before it is shown after it, nor after it anything that came before."""


class Reordering:
    """Finds out how many pictures are decoded ahead of one that is shown before them.

    By what the stream states; where it states nothing, none until the pictures' order counts show
    that there are some, and then as many as its picture buffer can hold.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.decided = False
        """Whether `depth` is more than a guess from a single picture."""
        self._order = PictureOrder()
        self._counts: list[int] = []
        self._step = 2
        self._plain = 0

    def see(self, head: Slice, sps: Sps) -> Order:
        """Take the next picture's first slice header."""
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
            begun = count > top and gap > self._step and self._plain < _CONFIRMED
            self._plain += 0 < gap <= self._step
            if behind or begun:
                room = min(sps.max_dpb_frames, max(sps.max_ref_frames, 1))
                self.depth = min(max(self.depth, behind, room), MAX_DEPTH)


class DecodeTimes:
    """Gives each picture its decode time; they always rise."""

    def __init__(self) -> None:
        self._shown: list[int] = []
        self._last_ns: int | None = None

    def place(
        self, pts_ns: int, *, depth: int, interval_ns: int, first: bool = False
    ) -> tuple[int, int]:
        """Return the presentation and the decode time of the next picture.

        `first` says that everything before it is shown before it. The presentation time is as
        given, unless it lies before what has been decoded already.
        """
        if first and self._shown and pts_ns - self._shown[-1] > 2 * interval_ns:
            self._shown.clear()  # a hole in the footage lies in front of a keyframe, not behind it
        missing = depth - len(self._shown)
        if missing > 0:
            self._lead(pts_ns, missing, interval_ns)
        insort(self._shown, pts_ns)
        dts_ns = self._shown.pop(0)
        if self._last_ns is not None:
            dts_ns = max(dts_ns, self._last_ns + STEP_NS)
        dts_ns = max(dts_ns, 0)
        self._last_ns = dts_ns
        return max(pts_ns, dts_ns), dts_ns

    def _lead(self, pts_ns: int, missing: int, interval_ns: int) -> None:
        """Make up times of pictures shown before, evenly, behind the last decode time."""
        first_ns = pts_ns - (missing + 1) * interval_ns
        until_ns = self._shown[0] if self._shown else pts_ns
        if self._last_ns is not None and first_ns < self._last_ns:
            first_ns, until_ns = self._last_ns, min(until_ns, self._last_ns + interval_ns)
        step_ns = max((until_ns - first_ns) // (missing + 1), 0)
        for number in range(1, missing + 1):
            insort(self._shown, first_ns + number * step_ns)
