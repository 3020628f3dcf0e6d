"""Times of decoded pictures before an encoder. Standard library only."""

from __future__ import annotations

from touchline.media.framerate import LEAST_NS, USUAL_NS

_GRACE_NS = 500_000_000
"""Pictures timed before the start that arrive this long after it have a wrong time."""
_LONGEST_NS = 2_000_000_000


class RawTimes:
    """Strictly increasing times for the encoder, without pictures from before the start."""

    def __init__(self, not_before_ns: int) -> None:
        self._not_before_ns = not_before_ns
        self._last_ns: int | None = None
        self._interval_ns = USUAL_NS

    def place(self, pts_ns: int | None, now_ns: int) -> int | None:
        """Return the time of the next picture; None if it is to be dropped.

        A missing time or one that does not increase is replaced by one after the previous picture.
        """
        last_ns = self._last_ns
        if pts_ns is not None and pts_ns < self._not_before_ns:
            if now_ns < self._not_before_ns + _GRACE_NS:
                return None
            pts_ns = self._not_before_ns if last_ns is None else pts_ns
        if last_ns is None:
            at_ns = max(now_ns, self._not_before_ns) if pts_ns is None else pts_ns
        elif pts_ns is None:
            at_ns = last_ns + self._interval_ns
        elif pts_ns > last_ns:
            at_ns = pts_ns
            if LEAST_NS <= pts_ns - last_ns <= _LONGEST_NS:
                self._interval_ns = pts_ns - last_ns
        else:
            at_ns = last_ns + LEAST_NS
        self._last_ns = at_ns
        return at_ns
