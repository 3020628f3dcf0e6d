"""Models of the event log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import Field

from touchline.core.answers import open_enum
from touchline.core.events.kinds import EventCategory, EventType
from touchline.web.models.base import Answer

EventTypeWord = Annotated[str, open_enum(get_args(EventType))]
EventCategoryWord = Annotated[str, open_enum(get_args(EventCategory))]


class EventEntry(Answer):
    """An event."""

    id: int | None = Field(description="Event id; null until the event is written.")
    timestamp: datetime = Field(description="Time of the event, in UTC.")
    event_type: EventTypeWord = Field(
        description="Type of the event. Alerts have the category `alert` and their own types,"
        " such as `recording_camera_lost`."
    )
    category: EventCategoryWord = Field(description="Category of the event.")
    message: str = Field(description="Human-readable message.")
    details: dict[str, Any] = Field(description="Machine-readable details.")
    container_id: str | None = Field(description="Affected engine.")
    stream_id: str | None = Field(description="Affected stream.")


class EventStatistics(Answer):
    """Statistics of stored events."""

    total: int = Field(description="Total number of events.")
    by_type: dict[str, int] = Field(
        description="Number of events by type; `engine`, `stream`, `vpn`, `health` and `system`"
        " are always present."
    )
    oldest: datetime | None = Field(description="Time of the oldest event; null without any.")
    newest: datetime | None = Field(description="Time of the newest event; null without any.")


class EventsCleaned(Answer):
    """Result of deleting old events."""

    deleted: int = Field(description="Number of deleted events.")
    message: str = Field(description="Human-readable result.")
