"""Whether the disk keeps up: how long fragments took lately, and how long one has taken by now."""

from __future__ import annotations

from collections import deque

_WINDOW = 100
_OFTEN = 2
"""So many slow ones among the last hundred: the 99th percentile lies over the fragment's length."""

_STUCK_FRAGMENTS = 2
_CLEAR_NS = 5_000_000_000


class Pace:
    """Judges a disk by its times. One thread begins and ends; any may ask.

    It is slow when the 99th percentile of the last hundred times lies over `fragment_s`, or when
    one operation has taken twice that by now; it is well again after 5 s without a slow one.
    """

    def __init__(self, fragment_s: float) -> None:
        self._limit_ns = int(fragment_s * 1e9)
        self._slow: deque[bool] = deque(maxlen=_WINDOW)
        self._since_ns: int | None = None
        self._last_slow_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """Note that the disk is asked for something."""
        self._since_ns = now_ns

    def end(self, now_ns: int) -> float:
        """Note that it has done it; how long that took in seconds."""
        began, self._since_ns = self._since_ns, None
        took_ns = 0 if began is None else now_ns - began
        self._slow.append(took_ns > self._limit_ns)
        if took_ns > self._limit_ns:
            self._last_slow_ns = now_ns
        return took_ns / 1e9

    def pause(self) -> None:
        """Note that nothing is asked of the disk; what was asked before failed."""
        self._since_ns = None

    def complaint(self, now_ns: int) -> str | None:
        """How slow it is; None while it keeps up."""
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
