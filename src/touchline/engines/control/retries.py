"""Retry delays that increase with each failure and are randomised."""

from __future__ import annotations

import random

FIRST_S, LONGEST_S = 0.5, 30.0


class Backoff:
    """Consecutive failures of one operation. Belongs to the event loop."""

    def __init__(self) -> None:
        self._failures = 0
        self.not_before_s = 0.0
        """Earliest time of the next attempt, on the monotonic clock."""

    def failed(self, now_s: float) -> None:
        """Record a failure at this time."""
        pause_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self.not_before_s = now_s + pause_s * random.uniform(0.8, 1.2)  # noqa: S311

    def worked(self) -> None:
        """Record a success; the next failure counts as the first."""
        self._failures = 0
        self.not_before_s = 0.0
