"""Space on a filesystem, and how long it lasts; computed only here.

The figures are those of df(1): space reserved for root counts neither as used nor as free.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DiskSpace:
    """Space of a filesystem for ordinary users."""

    size_bytes: int
    """The whole filesystem, including space reserved for root."""
    used_bytes: int
    free_bytes: int

    @property
    def usable_bytes(self) -> int:
        """Bytes for ordinary users, used or not."""
        return self.used_bytes + self.free_bytes

    @property
    def used_percent(self) -> float:
        """Used share of the space for ordinary users, like `Use%` of df, to one digit."""
        return round(100 * self.used_bytes / self.usable_bytes, 1) if self.usable_bytes else 0.0

    def minutes_left(self, floor_bytes: int, bitrate_bps: float | None) -> float | None:
        """Return the minutes until `floor_bytes` are free; None while nothing is written.

        `bitrate_bps` is the sum of all cameras; None means unknown. At the floor the result is 0.
        """
        if bitrate_bps is None or bitrate_bps <= 0:
            return None
        return max(0, self.free_bytes - floor_bytes) * 8 / bitrate_bps / 60


def read_space(path: str | Path) -> DiskSpace:
    """Read the space of a path's filesystem. Blocks while its disk does; raises OSError."""
    stats = os.statvfs(path)
    return DiskSpace(
        size_bytes=stats.f_blocks * stats.f_frsize,
        used_bytes=(stats.f_blocks - stats.f_bfree) * stats.f_frsize,
        free_bytes=stats.f_bavail * stats.f_frsize,
    )
