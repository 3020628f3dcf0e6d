"""Answers about the event log."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Timestamp, open_enum
from touchline.core.events.kinds import EventCategory, EventType

EventTypeWord = Annotated[str, open_enum(get_args(EventType))]
EventCategoryWord = Annotated[str, open_enum(get_args(EventCategory))]


@with_config(ANSWER)
class EventEntry(TypedDict):
    """An event."""

    id: int | None
    """Event id; null until the event is written."""
    timestamp: Timestamp
    """Time of the event, in UTC."""
    event_type: EventTypeWord
    """Type of the event; alerts have their own, such as `recording_camera_lost`."""
    category: EventCategoryWord
    """Category of the event."""
    message: str
    """Human-readable message."""
    details: dict[str, Any]
    """Machine-readable details."""
    container_id: str | None
    """Affected engine."""
    stream_id: str | None
    """Affected stream."""


@with_config(ANSWER)
class EventStatistics(TypedDict):
    """Statistics of stored events."""

    total: int
    """Total number of events."""
    by_type: dict[str, int]
    """Keys: event types; `engine`, `stream`, `vpn`, `health` and `system` are always present."""
    oldest: Timestamp | None
    """Time of the oldest event; null without any."""
    newest: Timestamp | None
    """Time of the newest event; null without any."""


@with_config(ANSWER)
class EventsCleaned(TypedDict):
    """Result of deleting old events."""

    deleted: int
    """Number of deleted events."""
    message: str
    """Human-readable result."""
