"""Everything that can be configured about engines, with its bounds and its default.

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

from touchline.engines.settings.runtimes import (
    AutoRuntimeSettings,
    RuntimeSettings,
    memory_bytes,
)

VARIANTS = ("krinkuto11-amd64", "jopsis-amd64", "jopsis-arm32", "jopsis-arm64")

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,126}=[^=\0\n]{1,255}")
_CONTAINER = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$"


class PortRange(BaseModel):
    """Ports from `first` to `last`, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    first: int = Field(ge=1, le=65535)
    last: int = Field(ge=1, le=65535)

    @model_validator(mode="after")
    def _in_order(self) -> PortRange:
        if self.last < self.first:
            raise ValueError("the second port must not be lower than the first")
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
        raise ValueError("write a range of ports as 19000-19999")
    return {"first": int(found[1]), "last": int(found[2])}


Ports = Annotated[PortRange, BeforeValidator(_range)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PortSettings(_Group):
    """Which ports engines get."""

    host: Ports = Field(
        PortRange(first=19000, last=19999),
        description="Ports of this host that lead to engines, as 19000-19999.",
    )
    http: Ports = Field(
        PortRange(first=40000, last=44999),
        description="HTTP ports inside containers, where they differ from the host's.",
    )
    https: Ports = Field(PortRange(first=45000, last=49999), description="HTTPS ports of engines.")
    map_https: bool = Field(False, description="Publish the HTTPS port as well.")
    bind_address: str = Field(
        "127.0.0.1",
        description="The address of the engines' machine at which they can be reached; unset for a"
        " remote daemon: the daemon's.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _apart(self) -> PortSettings:
        if self.http.first <= self.https.last and self.https.first <= self.http.last:
            raise ValueError("ports.http and ports.https must not overlap")
        return self


class ScalingSettings(_Group):
    """How many engines there are."""

    min_replicas: int = Field(1, ge=0, le=10_000, description="Never fewer engines than these.")
    min_free_replicas: int = Field(
        1, ge=0, le=10_000, description="So many without a stream are kept ready."
    )
    max_replicas: int = Field(20, ge=0, le=10_000, description="Never more, whoever asks.")
    max_active_replicas: int = Field(
        20, ge=0, le=10_000, description="Never more behind VPNs, whoever asks."
    )
    stop_at_end: bool = Field(
        False, description="Engines are stopped when the server ends in order; else they run on."
    )
    auto_delete: bool = Field(
        False, description="An engine goes once its last stream has ended, where numbers allow."
    )
    grace_period_s: float = Field(
        30.0, ge=0, description="How long an engine must have been idle before it may go."
    )
    idle_ttl_s: float = Field(
        600.0, ge=0, description="What `POST /gc` removes has been idle for longer."
    )
    startup_timeout_s: float = Field(
        25.0, gt=0, le=600, description="The longest that an engine may take to answer."
    )
    lease_s: float = Field(
        60.0, gt=0, le=3600, description="An engine handed out is kept for its client so long."
    )
    max_concurrent_provisions: int = Field(
        16, ge=1, le=64, description="Engines started at a time."
    )
    resync_s: float = Field(
        15.0, gt=0, le=300, description="The runtime is listed again at least this often."
    )

    @model_validator(mode="after")
    def _ordered(self) -> ScalingSettings:
        for name in ("min_replicas", "min_free_replicas"):
            if getattr(self, name) > self.max_replicas:
                raise ValueError(f"scaling.{name} must not be more than scaling.max_replicas")
        return self


class HealthSettings(_Group):
    """How engines are probed, and when one is given up."""

    interval_s: float = Field(
        1.0, gt=0, le=3600, description="Between two probes of an engine; longer in large fleets."
    )
    timeout_s: float = Field(0.8, gt=0, le=60, description="An answer that takes longer is none.")
    failure_threshold: int = Field(
        2, ge=1, le=100, description="So many probes in a row must fail."
    )
    unhealthy_grace_period_s: float = Field(
        60.0,
        ge=0,
        description="An unhealthy engine with streams is given so long before it is removed.",
    )
    replacement_cooldown_s: float = Field(
        1.0, ge=0, description="Between two replacements of unhealthy engines."
    )
    max_probes_per_s: float = Field(
        50.0, gt=0, description="Large fleets are probed more slowly, to keep to this."
    )


class CollectorSettings(_Group):
    """How streams are measured."""

    interval_s: float = Field(5.0, gt=0, le=3600, description="Between two samples of a stream.")
    history: int = Field(720, ge=1, le=100_000, description="Samples kept of each stream.")
    timeout_s: float = Field(3.0, gt=0, le=60, description="The longest an engine may take.")
    concurrency: int = Field(100, ge=1, le=1000, description="Polls under way at a time.")
    dead_after: int = Field(
        6,
        ge=1,
        description="So many polls in a row without any answer, and the stream counts as lost.",
    )


class BreakerSettings(_Group):
    """When starting engines is given up for a while."""

    failure_threshold: int = Field(5, ge=1, description="Failed starts in a row that open it.")
    recovery_timeout_s: float = Field(300.0, ge=0, description="It stays open for so long.")
    replacement_threshold: int = Field(3, ge=1, description="The same for replacements.")
    replacement_timeout_s: float = Field(180.0, ge=0, description="The same for replacements.")


class ImageSettings(_Group):
    """What an engine is made from."""

    variant: str = Field(
        VARIANTS[0], description=f"One of {', '.join(VARIANTS)}.", validate_default=True
    )
    arm32_version: str = Field("arm32-v3.2.13", pattern=r"^[A-Za-z0-9_.-]{1,128}$")
    arm64_version: str = Field("arm64-v3.2.13", pattern=r"^[A-Za-z0-9_.-]{1,128}$")
    name: str | None = Field(
        None, description="Another image than the variant's, started in the same way."
    )
    memory_limit: str | None = Field(
        None, description="As 512m or 2g; unset or 0: none.", validate_default=True
    )
    env_names: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,254}\*?$")]] = Field(
        default_factory=list,
        max_length=64,
        description="Environment names that clients may set on an engine, beside CONF, ACE*,"
        " EXTRA_* and those of the variant; a * at the end stands for any.",
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
        """The limit in bytes; None: there is none."""
        return memory_bytes(self.memory_limit) if self.memory_limit is not None else None


class VpnSettings(_Group):
    """The VPN containers that engines share the network of."""

    mode: Literal["single", "redundant"] = Field(
        "single", description="redundant: two VPNs, engines spread over both."
    )
    container_name: str | None = Field(
        None, description="The VPN container; unset: no VPN.", pattern=_CONTAINER
    )
    container_name_2: str | None = Field(
        None, description="The second one of redundant mode.", pattern=_CONTAINER
    )
    api_port: int = Field(8000, ge=1, le=65535, description="The control server's port.")
    api_key: SecretStr | None = Field(None, description="Sent to it as X-API-Key.")
    api_user: str | None = Field(None, description="Or basic authentication.")
    api_password: SecretStr | None = Field(None, description="Its password.")
    check_interval_s: float = Field(5.0, gt=0, le=300, description="Between two looks at a VPN.")
    port_cache_ttl_s: float = Field(
        60.0, ge=0, description="A forwarded port is asked for again after so long."
    )
    port_range_1: Ports | None = Field(None, description="Ports of engines on the first VPN.")
    port_range_2: Ports | None = Field(None, description="Ports of engines on the second one.")
    restart_engines_on_reconnect: bool = Field(
        True, description="Engines are made anew after their VPN was away."
    )
    unhealthy_restart_timeout_s: float = Field(
        60.0, ge=0, description="A VPN that is bad for longer is restarted, once; 0: never."
    )
    stabilise_s: float = Field(
        5.0, ge=0, description="How long a VPN must be good again before its engines are made anew."
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
        """The containers to look at, the primary first; empty: no VPN."""
        names = (self.container_name, self.container_name_2 if self.mode == "redundant" else None)
        return tuple(name for name in names if name is not None)


class EnginesSettings(_Group):
    """The engines half's settings."""

    runtime: RuntimeSettings = Field(
        default_factory=lambda: AutoRuntimeSettings(kind="auto"), description="Where engines run."
    )
    label: str = Field(
        "ondemand.app=myservice",
        description="The label, as name=value, that says that a container is ours.",
    )
    advertise_host: str | None = Field(
        None, description="What clients are told as an engine's host; unset: its own address."
    )
    reach_host: str | None = Field(
        None,
        description="Where this server reaches the published ports of engines; unset: it follows"
        " from where the server and the runtime are.",
        min_length=1,
        max_length=253,
    )
    image: ImageSettings = Field(default_factory=ImageSettings, description="What they are.")
    ports: PortSettings = Field(default_factory=PortSettings, description="Their ports.")
    scaling: ScalingSettings = Field(default_factory=ScalingSettings, description="Their number.")
    health: HealthSettings = Field(default_factory=HealthSettings, description="Their health.")
    collector: CollectorSettings = Field(
        default_factory=CollectorSettings, description="How streams are measured."
    )
    breaker: BreakerSettings = Field(
        default_factory=BreakerSettings, description="When starting is given up for a while."
    )
    vpn: VpnSettings = Field(default_factory=VpnSettings, description="The VPN, if any.")

    @field_validator("label")
    @classmethod
    def _name_and_value(cls, label: str) -> str:
        if _LABEL.fullmatch(label) is None:
            raise ValueError("must be name=value, with exactly one =")
        return label

    @property
    def management_label(self) -> tuple[str, str]:
        """Name and value of the label that says that an instance is ours."""
        name, _, value = self.label.partition("=")
        return name, value
