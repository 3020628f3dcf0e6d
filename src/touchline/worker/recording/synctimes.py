"""Histogram of the time that fragments took to reach the disk, over a worker's lifetime."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class SyncTimes:
    """Histogram that one thread updates; any may read it and see updates slightly later."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count an observation."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._total_s += seconds

    def to_json(self) -> dict[str, Any]:
        """Return `counts` for the upper `bounds_s`, with one more count for longer times."""
        return {
            "bounds_s": list(BOUNDS_S),
            "counts": list(self._counts),
            "total_s": round(self._total_s, 6),
        }
