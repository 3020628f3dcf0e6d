"""Answer about a circuit breaker."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Timestamp

BreakerState = Literal["closed", "open", "half_open"]


@with_config(ANSWER)
class CircuitBreaker(TypedDict):
    """A circuit breaker, which pauses starts after consecutive failures."""

    state: BreakerState
    failure_count: int
    failure_threshold: int
    last_failure_time: Timestamp | None
    last_success_time: Timestamp | None
    recovery_timeout: float
    """Seconds."""
