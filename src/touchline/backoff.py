"""Pauses between the attempts of work that fails."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryPauses:
    """Pauses after failures in a row: `first_s`, doubled each time up to `longest_s`.

    Work that lasted longer than `stable_s` before it failed begins a new row. Where stable work is
    to start again `at_once`, such a failure is not counted and no pause follows it.
    """

    first_s: float
    longest_s: float
    stable_s: float
    at_once: bool = False

    def failures(self, before: int, lasted_s: float) -> int:
        """Return the number of failures in a row, with that of work that lasted so long."""
        if lasted_s > self.stable_s:
            return 0 if self.at_once else 1
        return before + 1

    def pause_s(self, failures: int) -> float:
        """Return the pause after this many failures in a row."""
        if failures < 1:
            return 0.0
        # A camera may be absent for days; the limit keeps the power finite.
        return min(self.first_s * 2.0 ** min(failures - 1, 32), self.longest_s)
