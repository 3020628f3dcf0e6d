"""Wall clock and monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Clocks that are passed in, so that tests can replace them."""

    now: Callable[[], datetime] = _utc_now
    """Wall clock for display and records; it may jump when it is set."""
    now_s: Callable[[], float] = time.monotonic
    """Monotonic clock for decisions; it never goes back."""
