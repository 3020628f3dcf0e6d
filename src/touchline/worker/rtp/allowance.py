"""Limit on the number of pictures by elapsed time; more than that is a flood. Pure."""

from __future__ import annotations

ORDINARY = 32
"""Pictures allowed in a burst."""
HELD_UP = 4096
"""Pictures that the network may have held back: two minutes at 30 a second."""
TIMES_RATE = 3
"""Allowed multiple of the camera's learned rate."""


class Allowance:
    """Budget of pictures by elapsed time; pictures that were held back may arrive in a burst."""

    def __init__(self) -> None:
        self._spare = float(ORDINARY)
        self._arrived_ns: int | None = None

    def accept_picture(self, arrived_ns: int, interval_ns: int, *, needed: bool) -> bool:
        """Count a picture and return whether the limit allowed it.

        A picture for which `needed` is false counts too, but is always accepted: it has a time of
        its own.
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
