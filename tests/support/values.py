"""Values of the engines half as a runtime or a client would tell them; a test says what matters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from touchline.engines.model.model import Engine, Instance, Stream

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def engine_value(name: str = "engine-1", **changes: Any) -> Engine:
    """A healthy engine of this name, which is its id too."""
    given: dict[str, Any] = {
        "id": name,
        "name": name,
        "host": "127.0.0.1",
        "port": 19000,
        "api_host": "172.17.0.5",
        "api_port": 40000,
        "first_seen": NOON,
        "last_seen": NOON,
        "health": "healthy",
    }
    return Engine(**{**given, **changes})


def stream_value(name: str = "ch-1", on: str = "engine-1", **changes: Any) -> Stream:
    """A stream that plays on this engine since noon."""
    given: dict[str, Any] = {
        "id": name,
        "key_type": "infohash",
        "key": "a" * 40,
        "container_id": on,
        "playback_session_id": name,
        "stat_url": "http://h/stat",
        "command_url": "http://h/cmd",
        "is_live": True,
        "started_at": NOON,
    }
    return Stream(**{**given, **changes})


def instance_value(name: str = "engine-1", **changes: Any) -> Instance:
    """A container of this name that runs since noon."""
    given: dict[str, Any] = {
        "id": name,
        "name": name,
        "image": "engine:1",
        "state": "running",
        "created_at": NOON,
    }
    return Instance(**{**given, **changes})
