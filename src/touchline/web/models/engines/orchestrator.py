"""Models of the state of the engines half."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from touchline.web.models.base import Answer


class Message(Answer):
    """Human-readable result."""

    message: str


class Liveness(Answer):
    """Liveness of the server."""

    status: Literal["ok"]
    version: str


class ReadinessReason(Answer):
    """A reason for not being ready."""

    code: str
    message: str


class Readiness(Answer):
    """Readiness of the server."""

    ready: bool
    reasons: list[ReadinessReason]


class CircuitBreaker(Answer):
    """A circuit breaker, which pauses starts after consecutive failures."""

    state: Literal["closed", "open", "half_open"]
    failure_count: int
    failure_threshold: int
    last_failure_time: datetime | None
    last_success_time: datetime | None
    recovery_timeout: float = Field(description="Seconds.")


class EngineHealth(Answer):
    """Health of the fleet and its circuit breakers."""

    total_engines: int
    healthy_engines: int
    unhealthy_engines: int
    marked_for_replacement: int
    minimum_required: int
    health_check_interval: float = Field(description="Seconds.")
    circuit_breakers: dict[str, CircuitBreaker]


class BlockedReason(Answer):
    """Reason why no engine is available."""

    code: str
    message: str
    recovery_eta_seconds: int | None
    can_retry: bool
    should_wait: bool


class Provisioning(Answer):
    """Availability of engines."""

    can_provision: bool
    circuit_breaker_state: Literal["closed", "open", "half_open"]
    last_failure: datetime | None
    blocked_reason: str | None
    blocked_reason_details: BlockedReason | None


class OrchestratorStatus(Answer):
    """State of the engines half for proxies."""

    status: Literal["healthy", "degraded", "unavailable"]
    engines: dict[str, int] = Field(description="Keys: total, running, healthy, unhealthy.")
    streams: dict[str, int] = Field(description="Keys: active, total.")
    capacity: dict[str, int] = Field(
        description="Keys: total, used, available, max_replicas, min_replicas."
    )
    vpn: dict[str, Any] = Field(
        description="Keys: enabled, connected, health, container, forwarded_port."
    )
    provisioning: Provisioning
    config: dict[str, Any] = Field(
        description="Keys: auto_delete, grace_period_s, engine_variant, debug_mode."
    )
    runtime: dict[str, Any] = Field(description="Keys: reachable, stale_s, reason.")
    timestamp: datetime


class VpnStatus(Answer):
    """State of the VPN. With two VPNs, `vpn1` and `vpn2` have the same fields for each."""

    mode: Literal["disabled", "single", "redundant"]
    enabled: bool
    status: str = Field(description="State of the container; `not_found` or `error` without one.")
    container_name: str | None
    container: str | None = Field(description="Same as `container_name`.")
    health: Literal["healthy", "unhealthy", "starting", "unknown"]
    connected: bool
    forwarded_port: int | None
    last_check: datetime | None
    last_check_at: datetime | None = Field(description="Same as `last_check`.")
    vpn1: dict[str, Any] | None
    vpn2: dict[str, Any] | None
    emergency_mode: dict[str, Any] = Field(
        description="Keys: active, failed_vpn, healthy_vpn, duration_seconds, entered_at."
    )


class PublicAddress(Answer):
    """Public address of the VPN."""

    public_ip: str


class CacheStatistics(Answer):
    """Statistics of conditional requests."""

    size: int
    hits: int = Field(description="Requests answered with 304.")
    misses: int = Field(description="Requests answered with a body.")
    hit_rate: float = Field(description="Hit rate in percent.")
    entries: list[dict[str, Any]]
