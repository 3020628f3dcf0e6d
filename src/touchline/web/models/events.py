"""The event log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, get_args

from pydantic import Field

from touchline.core.events.kinds import EventCategory, EventType
from touchline.web.models.base import Answer, open_enum

EventTypeWord = Annotated[str, open_enum(get_args(EventType))]
EventCategoryWord = Annotated[str, open_enum(get_args(EventCategory))]


class EventEntry(Answer):
    """Something that happened."""

    id: int | None = Field(description="Its number; null while it is on the way to the disk.")
    timestamp: datetime = Field(description="When, in UTC.")
    event_type: EventTypeWord = Field(
        description="What it is about. Alerts, which have the category `alert`, have types of their"
        " own, such as `recording_camera_lost`."
    )
    category: EventCategoryWord = Field(description="What happened to it.")
    message: str = Field(description="A sentence for people.")
    details: dict[str, Any] = Field(description="The same for programs.")
    container_id: str | None = Field(description="The engine it is about.")
    stream_id: str | None = Field(description="The stream it is about.")


class EventStatistics(Answer):
    """How many events are kept."""

    total: int = Field(description="All of them.")
    by_type: dict[str, int] = Field(
        description="By type; `engine`, `stream`, `vpn`, `health` and `system` are always there."
    )
    oldest: datetime | None = Field(description="The first one's time; null where there is none.")
    newest: datetime | None = Field(description="The last one's time; null where there is none.")


class EventsCleaned(Answer):
    """What a clean-up did."""

    deleted: int = Field(description="How many events went.")
    message: str = Field(description="The same in a sentence.")
