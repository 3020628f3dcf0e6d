"""Write times of recent fragments and of one in progress, to detect a disk that is too slow."""

from __future__ import annotations

from collections import deque

_WINDOW = 100
_OFTEN = 2
"""Slow ones among the last hundred for the 99th percentile to exceed the fragment's length."""

_STUCK_FRAGMENTS = 2
_CLEAR_NS = 5_000_000_000


class DiskPace:
    """Detector of slow disks. One thread begins and ends operations; any may read the result.

    The disk is slow if the 99th percentile of the last hundred times exceeds `fragment_s`, or if
    one operation has taken twice that so far; it has recovered after 5 s without a slow one.
    """

    def __init__(self, fragment_s: float) -> None:
        self._limit_ns = int(fragment_s * 1e9)
        self._slow: deque[bool] = deque(maxlen=_WINDOW)
        self._since_ns: int | None = None
        self._last_slow_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """Record the start of a disk operation."""
        self._since_ns = now_ns

    def end(self, now_ns: int) -> float:
        """Record the end of the operation and return its duration in seconds."""
        began, self._since_ns = self._since_ns, None
        took_ns = 0 if began is None else now_ns - began
        self._slow.append(took_ns > self._limit_ns)
        if took_ns > self._limit_ns:
            self._last_slow_ns = now_ns
        return took_ns / 1e9

    def pause(self) -> None:
        """Record that no operation is in progress, without counting the last one."""
        self._since_ns = None

    def complaint(self, now_ns: int) -> str | None:
        """Return how slow the disk is; None while it keeps up."""
        since = self._since_ns
        if since is not None and now_ns - since > _STUCK_FRAGMENTS * self._limit_ns:
            return f"writing a fragment has taken {(now_ns - since) / 1e9:.1f} s so far"
        slow, last = sum(self._slow), self._last_slow_ns
        if last is None:
            return None
        if now_ns - last > _CLEAR_NS:
            self._last_slow_ns = None
            self._slow.clear()
            return None
        if slow >= _OFTEN:
            limit_s = self._limit_ns / 1e9
            return f"{slow} of the last {len(self._slow)} fragments took longer than {limit_s:g} s"
        return None
