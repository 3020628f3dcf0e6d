"""Answers about the state of the engines half."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, COUNTS, OPEN_OBJECT, Timestamp
from touchline.core.supervision import ReadinessReason
from touchline.engines.provisioning.answers import BreakerState, CircuitBreaker
from touchline.engines.vpn.answers import Health


@with_config(ANSWER)
class Readiness(TypedDict):
    """Readiness of the server."""

    ready: bool
    reasons: list[ReadinessReason]


@with_config(ANSWER)
class EngineHealth(TypedDict):
    """Health of the fleet and its circuit breakers."""

    total_engines: int
    healthy_engines: int
    unhealthy_engines: int
    marked_for_replacement: int
    minimum_required: int
    health_check_interval: float
    """Seconds."""
    circuit_breakers: dict[str, CircuitBreaker]


@with_config(ANSWER)
class BlockedReason(TypedDict):
    """Reason why no engine is available."""

    code: str
    message: str
    recovery_eta_seconds: int | None
    can_retry: bool
    should_wait: bool


@with_config(ANSWER)
class Provisioning(TypedDict):
    """Availability of engines."""

    can_provision: bool
    circuit_breaker_state: BreakerState
    last_failure: Timestamp | None
    blocked_reason: str | None
    blocked_reason_details: BlockedReason | None


class EngineCounts(TypedDict):
    """Number of engines by health, and of those being started."""

    total: int
    running: int
    healthy: int
    unhealthy: int
    starting: int


class StreamCounts(TypedDict):
    """Number of streams."""

    active: int
    total: int


class Capacity(TypedDict):
    """Number of engines that are in use, and its limits."""

    total: int
    used: int
    available: int
    max_replicas: int
    min_replicas: int
    target: int


class VpnSummary(TypedDict):
    """Whether the VPN is connected."""

    enabled: bool
    connected: bool
    health: Health
    container: str | None
    forwarded_port: int | None


class ConfigSummary(TypedDict):
    """Settings that matter to proxies."""

    auto_delete: bool
    grace_period_s: float
    engine_variant: str
    debug_mode: bool


class RuntimeFreshness(TypedDict):
    """Whether the runtime is reachable, and the age of what is known of it."""

    reachable: bool
    stale_s: float | None
    reason: str | None


@with_config(ANSWER)
class OrchestratorStatus(TypedDict):
    """State of the engines half for proxies."""

    status: Literal["healthy", "degraded", "unavailable"]
    engines: Annotated[EngineCounts, COUNTS]
    """Keys: total, running, healthy, unhealthy, starting."""
    streams: Annotated[StreamCounts, COUNTS]
    """Keys: active, total."""
    capacity: Annotated[Capacity, COUNTS]
    """Keys: total, used, available, max_replicas, min_replicas, target: the number wanted."""
    vpn: Annotated[VpnSummary, OPEN_OBJECT]
    """Keys: enabled, connected, health, container, forwarded_port."""
    provisioning: Provisioning
    config: Annotated[ConfigSummary, OPEN_OBJECT]
    """Keys: auto_delete, grace_period_s, engine_variant, debug_mode."""
    runtime: Annotated[RuntimeFreshness, OPEN_OBJECT]
    """Keys: reachable, stale_s, reason."""
    timestamp: Timestamp
