"""How many pictures can have been taken since the last ones: what exceeds that is a flood. Pure."""

from __future__ import annotations

ORDINARY = 32
"""Pictures that may come at once."""
HELD_UP = 4096
"""As many as may have been held back on their way: two minutes at 30 a second."""
TIMES_RATE = 3
"""A camera may send at so many times the rate that was learned of it."""


class Allowance:
    """Counts pictures against the time that has passed; what was held back may come at once."""

    def __init__(self) -> None:
        self._spare = float(ORDINARY)
        self._arrived_ns: int | None = None

    def spend(self, arrived_ns: int, interval_ns: int, *, needed: bool) -> bool:
        """Take a picture; returns whether there was room for it.

        A picture that is not `needed` to have room counts and is always taken: it has a time of its
        own.
        """
        before_ns, self._arrived_ns = self._arrived_ns, arrived_ns
        passed_ns = max(0, arrived_ns - before_ns) if before_ns is not None else 0
        self._spare = min(self._spare + TIMES_RATE * passed_ns / interval_ns, HELD_UP)
        if interval_ns // 2 <= passed_ns <= 2 * interval_ns:
            self._spare = min(self._spare, ORDINARY)  # nothing is held back at the moment
        if needed and self._spare < 1:
            return False
        self._spare = max(self._spare - 1, 0)
        return True
