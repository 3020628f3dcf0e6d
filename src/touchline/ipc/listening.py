"""The time in which this process was able to listen to others.

A process that is stopped, starved, swapped out or suspended hears nobody, and its timers run before
it reads what has arrived meanwhile. So a peer's silence is measured on a clock that advances look
by look, a slice at the most each time: what else passed between two looks was a pause of our own.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

SLICE_S = 0.25
"""What one look counts at the most. Whoever owns the clock looks at it more often than that."""


class ListeningClock:
    """Measures the seconds in which this process listened, as differences of two readings."""

    def __init__(
        self, now_s: Callable[[], float] = time.monotonic, *, slice_s: float = SLICE_S
    ) -> None:
        self._now_s = now_s
        self._slice_s = slice_s
        self._looked_at_s = now_s()
        self._counted_s = 0.0

    def __call__(self) -> float:
        """Look: count what has passed since the last look, a slice at the most."""
        now_s = self._now_s()
        self._counted_s += min(max(now_s - self._looked_at_s, 0.0), self._slice_s)
        self._looked_at_s = now_s
        return self._counted_s


def input_waits(connection: socket.socket) -> bool:
    """Return whether input, or its end, has arrived and was not read yet."""
    descriptor = connection.fileno()
    if descriptor < 0:
        return False
    poll = select.poll()  # select() itself cannot do descriptors above 1,023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
