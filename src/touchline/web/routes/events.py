"""Routes of the event log, newest event first. A handler parses, calls and renders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from touchline.core.events.event import Event, EventFilter
from touchline.core.events.log import KEPT_DAYS
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer, plain
from touchline.web.http.deps import EventsDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.base import Moment
from touchline.web.models.events import EventEntry, EventsCleaned, EventStatistics

TYPES = ("engine", "stream", "vpn", "health", "system")
MOST_OFFSET = 1_000_000
MOST_DAYS = 36_500

router = APIRouter(prefix="/events", tags=["events"], responses=may_answer(500), route_class=Route)

Text = Annotated[str | None, Query(max_length=256)]


@router.get(
    "",
    name="events",
    operation_id="get_events",
    summary="List events",
    response_model=list[EventEntry],
)
async def get_events(
    events: EventsDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of events.")] = 100,
    offset: Annotated[
        int, Query(ge=0, le=MOST_OFFSET, description="Number of newest events to skip.")
    ] = 0,
    event_type: Annotated[Text, Query(description="Only events of this type.")] = None,
    category: Annotated[Text, Query(description="Only events of this category.")] = None,
    container_id: Annotated[Text, Query(description="Only events about this engine.")] = None,
    stream_id: Annotated[Text, Query(description="Only events about this stream.")] = None,
    since: Annotated[
        Moment | None, Query(description="Only events since this time; UTC without a zone.")
    ] = None,
) -> Response:
    """List matching events of both halves, newest first.

    While the database is unavailable, recent events come from memory.
    """
    wanted = EventFilter(event_type, category, container_id, stream_id, since)
    return answer([entry(item) for item in await events.page(wanted, limit, offset)])


@router.get(
    "/stats",
    name="events_stats",
    operation_id="get_event_stats",
    summary="Get event statistics",
    response_model=EventStatistics,
)
async def get_event_stats(events: EventsDep) -> Response:
    """Return the number and time range of stored events."""
    stats = await events.stats()
    shown: EventStatistics = {
        "total": stats.total,
        "by_type": {**dict.fromkeys(TYPES, 0), **stats.by_type},
        "oldest": _time(stats.oldest) if stats.oldest is not None else None,
        "newest": _time(stats.newest) if stats.newest is not None else None,
    }
    return answer(shown)


@router.post(
    "/cleanup",
    name="events_cleanup",
    operation_id="clean_up_events",
    summary="Delete old events",
    response_model=EventsCleaned,
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def clean_up_events(
    events: EventsDep,
    max_age_days: Annotated[
        int, Query(ge=1, le=MOST_DAYS, description="Maximum age of events to keep, in days.")
    ] = KEPT_DAYS,
) -> Response:
    """Delete events older than a number of days.

    Events beyond 30 days or 10,000 are deleted automatically.
    """
    deleted = await events.cleanup(max_age_days)
    message = f"Cleaned up {deleted} events older than {max_age_days} days"
    reply: EventsCleaned = {"deleted": deleted, "message": message}
    return answer(reply)


def entry(item: Event) -> EventEntry:
    """Return an event as shown to clients."""
    return {
        "id": item.id,
        "timestamp": _time(item.at),
        "event_type": item.type,
        "category": item.category,
        "message": item.message,
        "details": plain(dict(item.details)),
        "container_id": item.ids.get("container_id"),
        "stream_id": item.ids.get("stream_id"),
    }


def _time(at: datetime) -> str:
    """Format a time in RFC 3339, in UTC with microseconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
