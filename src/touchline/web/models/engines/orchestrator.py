"""The state of the engines half."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from touchline.web.models.base import Answer


class Message(Answer):
    """What was done, in a sentence."""

    message: str


class Liveness(Answer):
    """The server answers."""

    status: Literal["ok"]
    version: str


class ReadinessReason(Answer):
    """Something that is in the way."""

    code: str
    message: str


class Readiness(Answer):
    """Whether the engines half does its work."""

    ready: bool
    reasons: list[ReadinessReason]


class CircuitBreaker(Answer):
    """After several failures in a row nothing is tried for a while."""

    state: Literal["closed", "open", "half_open"]
    failure_count: int
    failure_threshold: int
    last_failure_time: datetime | None
    last_success_time: datetime | None
    recovery_timeout: float = Field(description="Seconds.")


class EngineHealth(Answer):
    """How many engines are well."""

    total_engines: int
    healthy_engines: int
    unhealthy_engines: int
    marked_for_replacement: int
    minimum_required: int
    health_check_interval: float = Field(description="Seconds.")
    circuit_breakers: dict[str, CircuitBreaker]


class BlockedReason(Answer):
    """Why no engine can be had now."""

    code: str
    message: str
    recovery_eta_seconds: int | None
    can_retry: bool
    should_wait: bool


class Provisioning(Answer):
    """Whether an engine can be had."""

    can_provision: bool
    circuit_breaker_state: Literal["closed", "open", "half_open"]
    last_failure: datetime | None
    blocked_reason: str | None
    blocked_reason_details: BlockedReason | None


class OrchestratorStatus(Answer):
    """Everything a proxy needs to know."""

    status: Literal["healthy", "degraded", "unavailable"]
    engines: dict[str, int] = Field(description="total, running, healthy, unhealthy.")
    streams: dict[str, int] = Field(description="active, total.")
    capacity: dict[str, int] = Field(
        description="total, used, available, max_replicas, min_replicas."
    )
    vpn: dict[str, Any] = Field(
        description="enabled, connected, health, container, forwarded_port."
    )
    provisioning: Provisioning
    config: dict[str, Any] = Field(
        description="auto_delete, grace_period_s, engine_variant, debug_mode."
    )
    runtime: dict[str, Any] = Field(description="reachable, stale_s, reason.")
    timestamp: datetime


class VpnStatus(Answer):
    """The VPN; `vpn1` and `vpn2` have the same fields for each, where there are two."""

    mode: Literal["disabled", "single", "redundant"]
    enabled: bool
    status: str = Field(description="The container's state; `not_found` or `error` without one.")
    container_name: str | None
    container: str | None = Field(description="The same.")
    health: Literal["healthy", "unhealthy", "starting", "unknown"]
    connected: bool
    forwarded_port: int | None
    last_check: datetime | None
    last_check_at: datetime | None = Field(description="The same.")
    vpn1: dict[str, Any] | None
    vpn2: dict[str, Any] | None
    emergency_mode: dict[str, Any] = Field(
        description="active, failed_vpn, healthy_vpn, duration_seconds, entered_at."
    )


class PublicAddress(Answer):
    """An address."""

    public_ip: str


class CacheStatistics(Answer):
    """How often a client had the current version already."""

    size: int
    hits: int = Field(description="Answered with 304.")
    misses: int = Field(description="Answered with the whole.")
    hit_rate: float = Field(description="Per cent.")
    entries: list[dict[str, Any]]
