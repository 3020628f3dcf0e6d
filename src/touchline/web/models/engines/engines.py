"""Engines and containers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field

from touchline.engines import Reason
from touchline.web.models.base import Answer, open_enum

DrainReason = Annotated[str, open_enum(get_args(Reason))]


class EngineState(Answer):
    """An engine."""

    container_id: str = Field(description="Its id; `host:port` for one that somebody else runs.")
    container_name: str | None = Field(description="Its name.")
    host: str = Field(description="Where clients reach it.")
    port: int = Field(description="The port there.")
    labels: dict[str, str] = Field(description="The container's, and those of its streams.")
    forwarded: bool = Field(description="It has the VPN's forwarded port.")
    first_seen: datetime = Field(description="When it was made.")
    last_seen: datetime = Field(description="When it was last known to run.")
    streams: list[str] = Field(description="Ids of the streams that play on it.")
    health_status: Literal["healthy", "unhealthy", "unknown"] = Field(description="Its health.")
    last_health_check: datetime | None = Field(description="When it was last asked.")
    last_stream_usage: datetime | None = Field(description="When a stream last started on it.")
    last_cache_cleanup: datetime | None = Field(description="When its cache was last emptied.")
    cache_size_bytes: int | None = Field(description="What that freed.")
    vpn_container: str | None = Field(description="The VPN whose network it shares.")
    engine_variant: str | None = Field(description="The variant or template it was made with.")
    platform: str | None = Field(description="As it says itself.")
    version: str | None = Field(description="As it says itself.")
    forwarded_port: int | None = Field(description="The VPN's forwarded port, where it has that.")
    external: bool = Field(description="Somebody else runs it; it is never stopped.")
    draining: DrainReason | None = Field(description="Why it gets no new streams; null: it does.")
    paused: bool = Field(description="Its container is frozen.")


class EngineWithStreams(Answer):
    """An engine, and the streams on it."""

    engine: EngineState
    streams: list[dict[str, object]] = Field(description="As `GET /streams` shows them.")


class EngineUsage(Answer):
    """What an engine takes of the machine."""

    container_id: str
    cpu_percent: float = Field(description="Of one core: two busy cores are 200.")
    memory_usage: int = Field(description="Bytes.")
    memory_limit: int = Field(
        description="Bytes; without a limit of its own, the machine's memory."
    )
    memory_percent: float = Field(description="Of its limit.")
    network_rx_bytes: int = Field(description="Received; 0 behind a VPN.")
    network_tx_bytes: int = Field(description="Sent; 0 behind a VPN.")
    block_read_bytes: int = Field(description="Read from disks.")
    block_write_bytes: int = Field(description="Written to disks.")


class EngineUsageTotal(Answer):
    """The sums over all engines."""

    total_cpu_percent: float
    total_memory_usage: int
    total_network_rx_bytes: int
    total_network_tx_bytes: int
    total_block_read_bytes: int
    total_block_write_bytes: int
    container_count: int


class PortBinding(Answer):
    """Where a port is reached on the host."""

    HostIp: str
    HostPort: str


class ContainerInspection(Answer):
    """What the runtime says of a container; its environment may hold secrets and is left out."""

    id: str
    name: str
    image: str = Field(description="As it was asked for.")
    created: datetime
    status: str = Field(description="`running`, `paused`, `exited`, `created`.")
    labels: dict[str, str]
    ports: dict[str, list[PortBinding]] = Field(description="By `40001/tcp`.")
