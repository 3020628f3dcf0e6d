"""Frozen values of the engines half: specs, instances, engines, streams.

A *spec* asks a runtime for an *instance*; an instance that runs a streaming engine is an *engine*,
and what a viewer watches on it is a *stream*. Words are those of `docs/glossary.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

InstanceState = Literal["created", "running", "paused", "exited"]
ContainerHealth = Literal["healthy", "unhealthy", "starting"]
EngineHealth = Literal["healthy", "unhealthy", "unknown"]
KeyType = Literal["content_id", "infohash", "url", "magnet"]
StreamStatus = Literal["started", "ended"]
EventKind = Literal["started", "died", "removed", "paused", "unpaused", "health"]
Reason = Literal[
    "unhealthy",
    "dead_network",
    "vpn_lost",
    "outdated",
    "requested",
    "forwarding",
    "rebalancing",
    "scale_down",
    "idle",
]
"""Reason why an engine gets no new work, or is removed."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def format_url_host(host: str) -> str:
    """Return the host in the form used in URLs; an IPv6 address gets brackets."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True)
class PortMapping:
    """Port of the instance, and the host port to which it is published (None: any free one)."""

    container_port: int
    host_port: int | None
    protocol: Literal["tcp", "udp"] = "tcp"

    @property
    def name(self) -> str:
        """Docker's name of the port: `40001/tcp`."""
        return f"{self.container_port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Everything a runtime needs to start one instance.

    Labels are returned unchanged.
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    """Command-line arguments; empty for the image's default command."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    ports: tuple[PortMapping, ...] = ()
    network: str | None = None
    """Network of the instance; None for the default.

    It is a network's name, or `container:NAME` to share another container's.
    """
    memory_limit_bytes: int | None = None
    restarts: bool = False
    """Whether the runtime restarts the instance when it ends.

    Never set for engines, which the reconciler restarts.
    """


@dataclass(frozen=True, slots=True)
class Binding:
    """Address on the host at which a port of an instance is reached."""

    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class Instance:
    """Container or process as reported by a runtime."""

    id: str
    name: str
    image: str
    state: InstanceState
    created_at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    ports: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    """Bindings by port such as `40001/tcp`; unbound ports are left out."""
    network: str | None = None
    """`container:ID` where it shares another container's network."""
    ip_address: str | None = None
    ip_addresses: tuple[str, ...] = ()
    """Addresses in all networks it has joined, of both families.

    Empty where the runtime does not report them.
    """
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses by network name."""
    health: ContainerHealth | None = None
    """Health check result; None: there is no check, or it was not read (`list` does not)."""
    exit_code: int | None = None
    started_at: datetime | None = None
    """Time of its last start; only `inspect` sets this and the next field."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """Live event of an instance."""

    kind: EventKind
    instance_id: str
    name: str
    at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    exit_code: int | None = None
    health: ContainerHealth | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources used by an instance. Counters grow from its start; None: not known."""

    cpu_percent: float
    """CPU load in percent of one core; two busy cores are 200."""
    memory_bytes: int
    memory_limit_bytes: int | None
    network_rx_bytes: int | None
    network_tx_bytes: int | None
    block_read_bytes: int | None
    block_write_bytes: int | None


@dataclass(frozen=True, slots=True)
class Executed:
    """Result of a command inside an instance."""

    status: int
    output: bytes


@dataclass(frozen=True, slots=True)
class Engine:
    """Streaming engine as known to the fleet. Immutable; a change creates a new value."""

    id: str
    """Id of the instance; `host:port` for an external engine."""
    name: str
    host: str
    """Host reported to clients; `port` belongs to it."""
    port: int
    api_host: str
    """Host at which this server reaches the HTTP API; `api_port` belongs to it."""
    api_port: int
    first_seen: datetime
    last_seen: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    host_http_port: int | None = None
    """Host port to which it is published; None: there is none, or it is unknown."""
    container_http_port: int | None = None
    container_https_port: int | None = None
    forwarded: bool = False
    vpn_container: str | None = None
    variant: str | None = None
    generation: str = ""
    """Generation of the configuration that it was created with.

    An engine of another generation is scheduled for replacement.
    """
    health: EngineHealth = "unknown"
    last_health_check: datetime | None = None
    last_stream_usage: datetime | None = None
    last_cache_cleanup: datetime | None = None
    cache_size_bytes: int | None = None
    platform: str | None = None
    version: str | None = None
    external: bool = False
    """Whether it is not managed by this server and known only from a reported stream.

    It is never stopped or counted.
    """
    draining: str | None = None
    """Reason why it gets no new work and is removed after its streams; None: it stays."""
    paused: bool = False
    seen_since_s: float = 0.0
    """Time when this server first saw it; like the next two, on the monotonic clock."""
    unhealthy_since_s: float | None = None
    idle_since_s: float | None = None
    """Time since which it has had no stream; None while it has one."""

    @property
    def api_url(self) -> str:
        """Root URL of its HTTP API, without a trailing slash."""
        return f"http://{format_url_host(self.api_host)}:{self.api_port}"


@dataclass(frozen=True, slots=True)
class Stream:
    """Stream played on an engine, as reported by a client."""

    id: str
    key_type: KeyType
    key: str
    container_id: str
    """Id of the engine."""
    playback_session_id: str
    stat_url: str
    command_url: str
    is_live: bool
    started_at: datetime
    ended_at: datetime | None = None
    status: StreamStatus = "started"
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Statistics of a stream at one instant; None: not reported."""

    ts: datetime
    peers: int | None = None
    speed_down: int | None = None
    """Download speed in KB/s, as reported by the engine."""
    speed_up: int | None = None
    downloaded: int | None = None
    """Downloaded bytes."""
    uploaded: int | None = None
    status: str | None = None
