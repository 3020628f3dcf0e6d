"""A clock that does not advance while this process is suspended, for judging the age of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_NS = 100_000_000


class AwakeClock:
    """Monotonic clock in nanoseconds of running time; only differences between readings matter.

    Read it ten times a second: of a longer interval between two readings only `look_ns` count,
    because the rest was a pause of this process (stopped, starved, suspended). Any thread may read
    it.
    """

    def __init__(
        self, monotonic_ns: Callable[[], int] = time.monotonic_ns, *, look_ns: int = LOOK_NS
    ) -> None:
        self._look_ns = look_ns
        self._monotonic_ns = monotonic_ns
        self._lock = threading.Lock()
        self._read_ns = monotonic_ns()
        self._counted_ns = 0

    def __call__(self) -> int:
        """Return the reading, adding the time since the last reading, at most `look_ns`."""
        with self._lock:
            now_ns = self._monotonic_ns()
            self._counted_ns += min(max(now_ns - self._read_ns, 0), self._look_ns)
            self._read_ns = now_ns
            return self._counted_ns
