"""Events, and the criteria to search for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from touchline.core.events.kinds import EventCategory, EventType
from touchline.foreign import text

MOST_MESSAGE_CHARS = 8_000


@dataclass(frozen=True)
class Event:
    """Something that happened. `ids` are the details that name things (`match_id`, `camera_id`)."""

    at: datetime
    type: str
    category: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    id: int | None = field(default=None, compare=False)
    """Number in the log; None until the event is in the database."""


def make_event(
    type: EventType,  # noqa: A002
    category: EventCategory,
    message: str,
    **details: Any,
) -> Event:
    """Create an event with the current time; details whose names end in `_id` become its ids."""
    kept = text.printable(details)
    ids = {n: text.shown(str(value)) for n, value in kept.items() if n.endswith("_id")}
    return Event(
        at=datetime.now(UTC),
        type=text.shown(type),
        category=text.shown(category),
        message=text.shown(message, MOST_MESSAGE_CHARS),
        details=MappingProxyType(kept),
        ids=MappingProxyType(ids),
    )


@dataclass(frozen=True)
class EventFilter:
    """Criteria of a search in the event log; None matches every event."""

    type: str | None = None
    category: str | None = None
    container_id: str | None = None
    stream_id: str | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("type", "category", "container_id", "stream_id"):
            value = getattr(self, name)
            if value is not None:  # events are stored in printable form
                object.__setattr__(self, name, text.shown(value))

    def fits(self, item: Event) -> bool:
        """Return whether an event matches."""
        return (
            self.type in {None, item.type}
            and self.category in {None, item.category}
            and self.container_id in {None, item.ids.get("container_id")}
            and self.stream_id in {None, item.ids.get("stream_id")}
            and (self.since is None or item.at >= add_zone(self.since))
        )


ALL_EVENTS = EventFilter()


@dataclass(frozen=True)
class EventStats:
    """Number of events, by type, and the time between the first and the last."""

    total: int
    by_type: Mapping[str, int]
    oldest: datetime | None
    newest: datetime | None


def add_zone(at: datetime) -> datetime:
    """Return a time with its zone; a time without one is UTC."""
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
