"""Models of engines and containers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field

from touchline.core.answers import open_enum
from touchline.engines import Reason
from touchline.web.models.base import Answer

DrainReason = Annotated[str, open_enum(get_args(Reason))]


class EngineState(Answer):
    """A streaming engine."""

    container_id: str = Field(description="Container id; `host:port` for an external engine.")
    container_name: str | None = Field(description="Name of the container.")
    host: str = Field(description="Host at which clients reach the engine.")
    port: int = Field(description="HTTP port at which clients reach the engine.")
    labels: dict[str, str] = Field(description="Labels of the container and of its streams.")
    forwarded: bool = Field(description="Whether the engine has the VPN's forwarded port.")
    first_seen: datetime = Field(description="Time of creation.")
    last_seen: datetime = Field(
        description="Time at which the engine was last known to be running."
    )
    streams: list[str] = Field(description="Ids of the playing streams.")
    health_status: Literal["healthy", "unhealthy", "unknown"] = Field(
        description="Result of the health checks."
    )
    last_health_check: datetime | None = Field(description="Time of the last health check.")
    last_stream_usage: datetime | None = Field(description="Time at which a stream last started.")
    last_cache_cleanup: datetime | None = Field(description="Time of the last cache cleanup.")
    cache_size_bytes: int | None = Field(description="Bytes freed by the last cache cleanup.")
    vpn_container: str | None = Field(description="VPN container whose network the engine shares.")
    engine_variant: str | None = Field(
        description="Variant or template the engine was created from."
    )
    platform: str | None = Field(description="As reported by the engine.")
    version: str | None = Field(description="As reported by the engine.")
    forwarded_port: int | None = Field(
        description="The VPN's forwarded port, if the engine has it."
    )
    external: bool = Field(
        description="Whether the engine is managed by somebody else; such an engine is never"
        " stopped."
    )
    draining: DrainReason | None = Field(
        description="Reason why the engine receives no new streams; null if it does."
    )
    paused: bool = Field(description="Whether the container is paused.")


class EngineWithStreams(Answer):
    """An engine and its streams."""

    engine: EngineState
    streams: list[dict[str, object]] = Field(description="Streams in the form of `GET /streams`.")


class EngineUsage(Answer):
    """Resource usage of an engine."""

    container_id: str
    cpu_percent: float = Field(
        description="CPU load in percent of one core; two busy cores are 200."
    )
    memory_usage: int = Field(description="Bytes.")
    memory_limit: int = Field(
        description="Memory limit in bytes; without a limit, the memory of the machine."
    )
    memory_percent: float = Field(description="Memory usage in percent of the limit.")
    network_rx_bytes: int = Field(description="Received bytes; 0 behind a VPN.")
    network_tx_bytes: int = Field(description="Sent bytes; 0 behind a VPN.")
    block_read_bytes: int = Field(description="Bytes read from disk.")
    block_write_bytes: int = Field(description="Bytes written to disk.")


class EngineUsageTotal(Answer):
    """Resource usage summed over all engines."""

    total_cpu_percent: float
    total_memory_usage: int
    total_network_rx_bytes: int
    total_network_tx_bytes: int
    total_block_read_bytes: int
    total_block_write_bytes: int
    container_count: int


class PortBinding(Answer):
    """Address at which a port is published."""

    HostIp: str
    HostPort: str


class ContainerInspection(Answer):
    """Details of a container. Its environment may contain secrets and is left out."""

    id: str
    name: str
    image: str = Field(description="Image as requested.")
    created: datetime
    status: str = Field(
        description="State of the container: `running`, `paused`, `exited` or `created`."
    )
    labels: dict[str, str]
    ports: dict[str, list[PortBinding]] = Field(
        description="Published ports by container port, such as `40001/tcp`."
    )
