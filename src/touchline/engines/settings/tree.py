"""Settings of engines, with bounds and defaults.

The names of the earlier system (`MIN_REPLICAS`, …) are aliases of these; `touchline.settings.tree`
reads them.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.kinds import RuntimeSettings
from touchline.engines.settings.memorysize import memory_bytes

VARIANTS = ("krinkuto11-amd64", "jopsis-amd64", "jopsis-arm32", "jopsis-arm64")

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}=[^=\0\n]{1,255}")
_CONTAINER = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$"


class PortRange(BaseModel):
    """Range of ports from `first` to `last`, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    first: int = Field(ge=1, le=65535)
    last: int = Field(ge=1, le=65535)

    @model_validator(mode="after")
    def _in_order(self) -> PortRange:
        if self.last < self.first:
            raise ValueError("the last port must not be lower than the first")
        return self

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.first <= port <= self.last

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def _range(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", value)
    if found is None:
        raise ValueError("must be a range of ports such as 19000-19999")
    return {"first": int(found[1]), "last": int(found[2])}


Ports = Annotated[PortRange, BeforeValidator(_range)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PortSettings(_Group):
    """Port ranges for engines."""

    host: Ports = Field(
        PortRange(first=19000, last=19999),
        description="Host ports that engines are published on, as 19000-19999.",
    )
    http: Ports = Field(
        PortRange(first=40000, last=44999),
        description="HTTP ports inside containers where these differ from the host ports.",
    )
    https: Ports = Field(PortRange(first=45000, last=49999), description="HTTPS ports of engines.")
    map_https: bool = Field(False, description="Publish the HTTPS port as well.")
    bind_address: str = Field(
        "127.0.0.1",
        description="Address on the engines' machine that ports are published on. With a remote"
        " daemon, the default is the daemon's address.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _check_ports_differ(self) -> PortSettings:
        if self.http.first <= self.https.last and self.https.first <= self.http.last:
            raise ValueError("ports.http and ports.https must not overlap")
        return self


class ScalingSettings(_Group):
    """Size of the fleet, and when engines are started and stopped."""

    min_replicas: int = Field(1, ge=0, le=10_000, description="Minimum number of engines.")
    min_free_replicas: int = Field(
        1, ge=0, le=10_000, description="Number of idle engines to keep ready."
    )
    max_replicas: int = Field(20, ge=0, le=10_000, description="Maximum number of engines.")
    max_active_replicas: int = Field(
        20, ge=0, le=10_000, description="Maximum number of engines behind VPNs."
    )
    stop_at_end: bool = Field(
        False,
        description="Stop all engines on a regular shutdown. Otherwise they keep running and the"
        " next server adopts them.",
    )
    auto_delete: bool = Field(
        False,
        description="Remove an engine after its last stream has ended, as far as the minimum"
        " numbers allow.",
    )
    grace_period_s: float = Field(
        30.0, ge=0, description="How long an engine must be idle before it may be removed."
    )
    idle_ttl_s: float = Field(
        600.0, ge=0, description="Idle time after which `POST /gc` removes an engine."
    )
    startup_timeout_s: float = Field(
        25.0, gt=0, le=600, description="Time limit for a new engine to answer."
    )
    lease_s: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="How long an engine stays reserved for the client that received it.",
    )
    max_concurrent_provisions: int = Field(
        16, ge=1, le=64, description="Maximum number of engines started at the same time."
    )
    resync_s: float = Field(
        15.0, gt=0, le=300, description="Maximum interval between two full listings of the runtime."
    )

    @model_validator(mode="after")
    def _ordered(self) -> ScalingSettings:
        for name in ("min_replicas", "min_free_replicas"):
            if getattr(self, name) > self.max_replicas:
                raise ValueError(f"scaling.{name} must not be more than scaling.max_replicas")
        return self


class HealthSettings(_Group):
    """Health checks of engines and replacement of unhealthy ones."""

    interval_s: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="Interval between two health checks of an engine; longer in large fleets.",
    )
    timeout_s: float = Field(0.8, gt=0, le=60, description="Time limit of a health check.")
    failure_threshold: int = Field(
        2,
        ge=1,
        le=100,
        description="Number of consecutive failures after which an engine is unhealthy.",
    )
    unhealthy_grace_period_s: float = Field(
        60.0,
        ge=0,
        description="How long an unhealthy engine with streams is kept before it is removed.",
    )
    replacement_cooldown_s: float = Field(
        1.0, ge=0, description="Minimum pause between two replacements of unhealthy engines."
    )
    max_probes_per_s: float = Field(
        50.0, gt=0, description="Maximum rate of health checks over the whole fleet."
    )


class CollectorSettings(_Group):
    """Sampling of stream statistics."""

    interval_s: float = Field(
        5.0, gt=0, le=3600, description="Interval between two samples of a stream."
    )
    history: int = Field(720, ge=1, le=100_000, description="Number of samples kept per stream.")
    timeout_s: float = Field(3.0, gt=0, le=60, description="Time limit of an engine's answer.")
    concurrency: int = Field(
        100, ge=1, le=1000, description="Maximum number of polls at the same time."
    )
    dead_after: int = Field(
        6,
        ge=1,
        description="Number of consecutive unanswered polls after which a stream counts as lost.",
    )


class BreakerSettings(_Group):
    """Circuit breakers that pause starting engines after repeated failures."""

    failure_threshold: int = Field(
        5, ge=1, description="Number of consecutive failed starts that opens the circuit breaker."
    )
    recovery_timeout_s: float = Field(
        300.0, ge=0, description="How long the circuit breaker stays open."
    )
    replacement_threshold: int = Field(
        3, ge=1, description="Like `failure_threshold`, for replacement engines."
    )
    replacement_timeout_s: float = Field(
        180.0, ge=0, description="Like `recovery_timeout_s`, for replacement engines."
    )


class ImageSettings(_Group):
    """Image and variant that engines are started from."""

    variant: str = Field(
        VARIANTS[0], description=f"Engine variant: {', '.join(VARIANTS)}.", validate_default=True
    )
    arm32_version: str = Field(
        "arm32-v3.2.13",
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="Image tag of the jopsis-arm32 variant.",
    )
    arm64_version: str = Field(
        "arm64-v3.2.13",
        pattern=r"^[A-Za-z0-9_.-]{1,128}$",
        description="Image tag of the jopsis-arm64 variant.",
    )
    name: str | None = Field(
        None, description="Image to use instead of the variant's, started in the same way."
    )
    memory_limit: str | None = Field(
        None,
        description="Memory limit per engine, such as 512m or 2g. Unset or 0: no limit.",
        validate_default=True,
    )
    env_names: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,254}\*?$")]] = Field(
        default_factory=list,
        max_length=64,
        description="Environment variables that clients may set on an engine in addition to CONF,"
        " ACE*, EXTRA_* and those of the variant. A trailing * matches any ending.",
    )

    @field_validator("variant")
    @classmethod
    def _known(cls, variant: str) -> str:
        if variant not in VARIANTS:
            raise ValueError(f"must be one of {', '.join(VARIANTS)}")
        return variant

    @field_validator("memory_limit")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None:
            memory_bytes(text)
        return text

    @property
    def memory_limit_bytes(self) -> int | None:
        """Memory limit in bytes; None for no limit."""
        return memory_bytes(self.memory_limit) if self.memory_limit is not None else None


class VpnSettings(_Group):
    """VPN containers whose network the engines share."""

    mode: Literal["single", "redundant"] = Field(
        "single",
        description="`single`: one VPN. `redundant`: two VPNs with engines spread over both.",
    )
    container_name: str | None = Field(
        None, description="Name of the VPN container. Unset: no VPN.", pattern=_CONTAINER
    )
    container_name_2: str | None = Field(
        None, description="Name of the second VPN container in redundant mode.", pattern=_CONTAINER
    )
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the VPN's control server.")
    api_key: SecretStr | None = Field(
        None, description="API key for the control server, sent as X-API-Key."
    )
    api_user: str | None = Field(
        None,
        description="User name for basic authentication at the control server, instead of"
        " `api_key`.",
    )
    api_password: SecretStr | None = Field(None, description="Password for basic authentication.")
    check_interval_s: float = Field(
        5.0, gt=0, le=300, description="Interval between two checks of a VPN."
    )
    port_cache_ttl_s: float = Field(
        60.0, ge=0, description="How long a forwarded port is cached before it is requested again."
    )
    port_range_1: Ports | None = Field(None, description="Port range for engines on the first VPN.")
    port_range_2: Ports | None = Field(
        None, description="Port range for engines on the second VPN."
    )
    restart_engines_on_reconnect: bool = Field(
        True, description="Replace engines after their VPN has reconnected."
    )
    unhealthy_restart_timeout_s: float = Field(
        60.0,
        ge=0,
        description="How long a VPN may be unhealthy before it is restarted, once. 0: never.",
    )
    stabilise_s: float = Field(
        5.0,
        ge=0,
        description="How long a VPN must be healthy again before its engines are replaced.",
    )

    @model_validator(mode="after")
    def _both(self) -> VpnSettings:
        if self.mode == "redundant":
            if self.container_name is None or self.container_name_2 is None:
                raise ValueError("redundant mode needs container_name and container_name_2")
            if self.container_name == self.container_name_2:
                raise ValueError("redundant mode needs two different containers")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the VPN containers, the primary first; empty without a VPN."""
        names = (self.container_name, self.container_name_2 if self.mode == "redundant" else None)
        return tuple(name for name in names if name is not None)


class EnginesSettings(_Group):
    """Settings of the engines half."""

    runtime: RuntimeSettings = Field(
        default_factory=lambda: AutoRuntimeSettings(kind="auto"),
        description="Runtime that engines run on.",
    )
    label: str = Field(
        "ondemand.app=myservice",
        description="Label, as name=value, that marks containers managed by this server.",
    )
    advertise_host: str | None = Field(
        None,
        description="Host name of engines as published to clients. Default: derived from the"
        " deployment.",
    )
    reach_host: str | None = Field(
        None,
        description="Address at which this server reaches the published ports of engines."
        " Default: derived from the deployment.",
        min_length=1,
        max_length=253,
    )
    image: ImageSettings = Field(
        default_factory=ImageSettings,
        description="Image and variant that engines are started from.",
    )
    ports: PortSettings = Field(
        default_factory=PortSettings, description="Port ranges for engines."
    )
    scaling: ScalingSettings = Field(
        default_factory=ScalingSettings, description="How many engines to run."
    )
    health: HealthSettings = Field(
        default_factory=HealthSettings, description="Health checks of engines."
    )
    collector: CollectorSettings = Field(
        default_factory=CollectorSettings, description="Sampling of stream statistics."
    )
    breaker: BreakerSettings = Field(
        default_factory=BreakerSettings, description="Circuit breakers for starting engines."
    )
    vpn: VpnSettings = Field(
        default_factory=VpnSettings, description="VPN that engines run behind, if any."
    )

    @field_validator("label")
    @classmethod
    def _name_and_value(cls, label: str) -> str:
        if _LABEL.fullmatch(label) is None:
            raise ValueError("must be name=value, with exactly one =")
        return label

    @property
    def max_engines(self) -> int:
        """Maximum number of engines."""
        scaling = self.scaling
        if not self.vpn.names:
            return scaling.max_replicas
        return min(scaling.max_replicas, scaling.max_active_replicas)

    @property
    def management_label(self) -> tuple[str, str]:
        """Name and value of the label that marks instances managed by this server."""
        name, _, value = self.label.partition("=")
        return name, value
