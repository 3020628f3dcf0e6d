"""A clock of the time in which this process was able to read its input.

A process that is stopped, starved, swapped out or suspended reads nothing, and its timers fire
before it reads what has arrived meanwhile. So the silence of a peer is measured on a clock that
advances at each reading by at most a slice: any further time between two readings was a pause of
this process.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

SLICE_S = 0.25
"""Maximum that one reading adds. The owner must read the clock more often than that."""


class ListeningClock:
    """Measures the seconds in which this process was listening, as differences of two readings."""

    def __init__(
        self, now_s: Callable[[], float] = time.monotonic, *, slice_s: float = SLICE_S
    ) -> None:
        self._now_s = now_s
        self._slice_s = slice_s
        self._read_at_s = now_s()
        self._counted_s = 0.0

    def __call__(self) -> float:
        """Add the time since the last reading, at most a slice, and return the total."""
        now_s = self._now_s()
        self._counted_s += min(max(now_s - self._read_at_s, 0.0), self._slice_s)
        self._read_at_s = now_s
        return self._counted_s


def input_waits(connection: socket.socket) -> bool:
    """Return whether unread input, or the end of input, has arrived."""
    descriptor = connection.fileno()
    if descriptor < 0:
        return False
    poll = select.poll()  # select() does not support descriptors above 1,023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
