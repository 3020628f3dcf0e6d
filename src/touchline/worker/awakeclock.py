"""A clock that stands still while this process does: others are judged by it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_NS = 100_000_000


class AwakeClock:
    """Nanoseconds in which this process ran; differences between two readings are what counts.

    Look at it ten times a second: of a longer time between two looks only `look_ns` count, as the
    rest was a pause of our own (stopped, starved, suspended). Any thread may look.
    """

    def __init__(
        self, monotonic_ns: Callable[[], int] = time.monotonic_ns, *, look_ns: int = LOOK_NS
    ) -> None:
        self._look_ns = look_ns
        self._monotonic_ns = monotonic_ns
        self._lock = threading.Lock()
        self._looked_ns = monotonic_ns()
        self._counted_ns = 0

    def __call__(self) -> int:
        """Look: count what has passed since the last look, up to `look_ns`."""
        with self._lock:
            now_ns = self._monotonic_ns()
            self._counted_ns += min(max(now_ns - self._looked_ns, 0), self._look_ns)
            self._looked_ns = now_ns
            return self._counted_ns
