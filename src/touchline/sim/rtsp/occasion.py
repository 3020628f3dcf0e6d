"""Timing of misbehaviour that begins after a delay."""

from __future__ import annotations

import threading
import time

from touchline.sim.rtsp.misbehaviour import Misbehaviour


class Occasion:
    """Timer for timed misbehaviour, from a first frame or a signal."""

    def __init__(self, *, on_signal: bool) -> None:
        self._begun = threading.Event()
        self._begun_ns = 0
        if not on_signal:
            self._begun.set()

    def begin(self) -> None:
        """Start the timer; a second call has no effect."""
        if not self._begun.is_set():
            self._begun_ns = time.monotonic_ns()
            self._begun.set()

    def elapsed_s(self, first_ns: int | None, now_ns: int) -> float:
        """Return the seconds since the first frame or the signal; -1 before both have come."""
        if first_ns is None or not self._begun.is_set():
            return -1.0
        return (now_ns - max(first_ns, self._begun_ns)) / 1e9


def due(after_s: float | None, elapsed_s: float) -> bool:
    """Return whether something with this delay is due; False for None."""
    return after_s is not None and elapsed_s >= after_s


def held_s(odd: Misbehaviour, elapsed_s: float) -> float:
    """Return for how many seconds everything is still held back; 0 if nothing is."""
    if odd.hold_after is None or odd.hold_for is None or elapsed_s < odd.hold_after:
        return 0.0
    since_s = elapsed_s - odd.hold_after
    if odd.hold_every is not None:
        since_s %= odd.hold_for + odd.hold_every
    return max(0.0, odd.hold_for - since_s)
