"""How long fragments took to reach the disk, counted by size over a worker's life."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class SyncTimes:
    """Counts observations. One thread observes; any may read, and sees them a moment later."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._total_s += seconds

    def to_json(self) -> dict[str, Any]:
        """`counts` by the upper `bounds_s`; one more of what took longer than all of them."""
        return {
            "bounds_s": list(BOUNDS_S),
            "counts": list(self._counts),
            "total_s": round(self._total_s, 6),
        }
