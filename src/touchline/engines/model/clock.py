"""The two clocks: what time it is, and how much time has passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Handed in, so that a test needs no patience."""

    now: Callable[[], datetime] = _utc_now
    """For showing and for the record; it may jump when somebody sets it."""
    now_s: Callable[[], float] = time.monotonic
    """For deciding: it only ever goes on."""
