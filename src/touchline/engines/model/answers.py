"""Answers about engines, streams and containers."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, OPEN_OBJECT, Timestamp, open_enum
from touchline.engines.model.model import EngineHealth, KeyType, Reason, StreamStatus

DrainReason = Annotated[str, open_enum(get_args(Reason))]


@with_config(ANSWER)
class EngineState(TypedDict):
    """A streaming engine."""

    container_id: str
    """Container id; `host:port` for an external engine."""
    container_name: str | None
    """Name of the container."""
    host: str
    """Host at which clients reach the engine."""
    port: int
    """HTTP port at which clients reach the engine."""
    labels: dict[str, str]
    """Labels of the container and of its streams."""
    forwarded: bool
    """Whether the engine has the VPN's forwarded port."""
    first_seen: Timestamp
    """Time of creation."""
    last_seen: Timestamp
    """Time at which the engine was last known to be running."""
    streams: list[str]
    """Ids of the playing streams."""
    health_status: EngineHealth
    """Result of the health checks."""
    last_health_check: Timestamp | None
    """Time of the last health check."""
    last_stream_usage: Timestamp | None
    """Time at which a stream last started."""
    last_cache_cleanup: Timestamp | None
    """Time of the last cache cleanup."""
    cache_size_bytes: int | None
    """Bytes freed by the last cache cleanup."""
    vpn_container: str | None
    """VPN container whose network the engine shares."""
    engine_variant: str | None
    """Variant or template the engine was created from."""
    platform: str | None
    """As reported by the engine."""
    version: str | None
    """As reported by the engine."""
    forwarded_port: int | None
    """The VPN's forwarded port, if the engine has it."""
    external: bool
    """Whether the engine is managed by another program; such an engine is never stopped."""
    draining: DrainReason | None
    """Reason why the engine receives no new streams; null if it does."""
    paused: bool
    """Whether the container is paused."""


@with_config(ANSWER)
class StreamState(TypedDict):
    """A stream that is played by an engine."""

    id: str
    key_type: KeyType
    key: str
    container_id: str
    """Engine that plays the stream."""
    playback_session_id: str
    stat_url: str
    command_url: str
    is_live: bool
    started_at: Timestamp
    ended_at: Timestamp | None
    status: StreamStatus
    end_reason: str | None
    """Reason for the end."""
    peers: int | None
    """Peers in the newest sample, like the next four fields."""
    speed_down: int | None
    """KB/s."""
    speed_up: int | None
    """KB/s."""
    downloaded: int | None
    """Bytes."""
    uploaded: int | None
    """Bytes."""


@with_config(ANSWER)
class EngineWithStreams(TypedDict):
    """An engine and its streams."""

    engine: EngineState
    streams: list[Annotated[StreamState, OPEN_OBJECT]]
    """Streams in the form of `GET /streams`."""


@with_config(ANSWER)
class StreamStatSnapshot(TypedDict):
    """A sample of a stream's statistics."""

    ts: Timestamp
    peers: int | None
    speed_down: int | None
    """KB/s."""
    speed_up: int | None
    """KB/s."""
    downloaded: int | None
    """Bytes."""
    uploaded: int | None
    """Bytes."""
    status: str | None
    """Status as reported by the engine: `prebuf`, `dl` …"""


@with_config(ANSWER)
class PortBinding(TypedDict):
    """Address at which a port is published."""

    HostIp: str
    HostPort: str


@with_config(ANSWER)
class ContainerInspection(TypedDict):
    """Details of a container. Its environment may contain secrets and is left out."""

    id: str
    name: str
    image: str
    """Image as requested."""
    created: Timestamp
    status: str
    """State of the container: `running`, `paused`, `exited` or `created`."""
    labels: dict[str, str]
    ports: dict[str, list[PortBinding]]
    """Published ports by container port, such as `40001/tcp`."""
