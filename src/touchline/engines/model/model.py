"""What the engines half talks about, as frozen values: specs, instances, engines, streams.

A *spec* asks a runtime for an *instance*; an instance that runs a streaming engine is an *engine*,
and what somebody watches on it is a *stream*. Words are those of `docs/glossary.md`.
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

NOTHING: Mapping[str, str] = MappingProxyType({})


def in_url(host: str) -> str:
    """Return the host as it stands in a URL: an IPv6 address has brackets there."""
    return f"[{host}]" if ":" in host else host


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A port of the instance, and the port of the host that leads to it (None: any free one)."""

    container_port: int
    host_port: int | None
    protocol: Literal["tcp", "udp"] = "tcp"

    @property
    def name(self) -> str:
        """As Docker writes it: `40001/tcp`."""
        return f"{self.container_port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Everything a runtime has to know to start one instance; labels come back unchanged."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    """Arguments, each its own; empty: what the image runs by itself."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    ports: tuple[PortMapping, ...] = ()
    network: str | None = None
    """A network's name, or `container:NAME` to share another container's; None: the default."""
    memory_limit_bytes: int | None = None
    restarts: bool = False
    """The runtime itself starts it again when it ends. Engines never: the reconciler does."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a port of an instance is reached on the host."""

    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class Instance:
    """What a runtime shows of one container or process."""

    id: str
    name: str
    image: str
    state: InstanceState
    created_at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    ports: Mapping[str, tuple[Binding, ...]] = field(default_factory=dict)
    """By `40001/tcp`; a port that is bound nowhere is left out."""
    network: str | None = None
    """`container:ID` where it shares another container's network."""
    ip_address: str | None = None
    ip_addresses: tuple[str, ...] = ()
    """In every network that it has joined, of both kinds; empty where the runtime does not tell."""
    networks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The same by the network's name."""
    health: ContainerHealth | None = None
    """None: it has no health check of its own, or nobody asked (`list` does not)."""
    exit_code: int | None = None
    started_at: datetime | None = None
    """When it was last started; only `inspect` fills this and the next."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """Something that happened to an instance, as it happens."""

    kind: EventKind
    instance_id: str
    name: str
    at: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    exit_code: int | None = None
    health: ContainerHealth | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an instance takes of the machine. Counters grow from its start; None: not known."""

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
    """How a command inside an instance ended."""

    status: int
    output: bytes


@dataclass(frozen=True, slots=True)
class Engine:
    """One streaming engine as the fleet knows it. A change makes a new value."""

    id: str
    """The instance's id; `host:port` for an external engine."""
    name: str
    host: str
    """What clients are told; `port` belongs to it."""
    port: int
    api_host: str
    """Where this server reaches the engine's HTTP API; `api_port` belongs to it."""
    api_port: int
    first_seen: datetime
    last_seen: datetime
    labels: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    host_http_port: int | None = None
    """The port of its machine that leads to it; None: there is none, or nobody tells."""
    container_http_port: int | None = None
    container_https_port: int | None = None
    forwarded: bool = False
    vpn_container: str | None = None
    variant: str | None = None
    generation: str = ""
    """Which configuration it was made with; another than the current one is replaced in time."""
    health: EngineHealth = "unknown"
    last_health_check: datetime | None = None
    last_stream_usage: datetime | None = None
    last_cache_cleanup: datetime | None = None
    cache_size_bytes: int | None = None
    platform: str | None = None
    version: str | None = None
    external: bool = False
    """Somebody else runs it and reported a stream on it: it is never stopped or counted."""
    draining: str | None = None
    """Why it gets no new work and goes once its streams have ended; None: it stays."""
    paused: bool = False
    seen_since_s: float = 0.0
    """When this server first saw it; this and the next two are the monotonic clock's."""
    unhealthy_since_s: float | None = None
    idle_since_s: float | None = None
    """Since when no stream is on it; None while one is."""

    @property
    def api_url(self) -> str:
        """The root of its HTTP API, without a slash at the end."""
        return f"http://{in_url(self.api_host)}:{self.api_port}"


@dataclass(frozen=True, slots=True)
class Stream:
    """Something played on an engine, as a client reported it."""

    id: str
    key_type: KeyType
    key: str
    container_id: str
    """The engine's id."""
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
    """What an engine told about a stream at one moment; None: it did not say."""

    ts: datetime
    peers: int | None = None
    speed_down: int | None = None
    """KB/s, as the engine gives it."""
    speed_up: int | None = None
    downloaded: int | None = None
    """Bytes."""
    uploaded: int | None = None
    status: str | None = None
