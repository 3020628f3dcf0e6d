"""Events as rows of the database. These functions block; the database's threads call them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from touchline.core.database import schema
from touchline.core.events.event import Event, EventFilter, EventStats, add_zone

if TYPE_CHECKING:
    from touchline.core.database.database import Connection

log = logging.getLogger(__name__)


def insert_events(connection: Connection, happened: Sequence[Event]) -> None:
    """Insert events in order."""
    if happened:
        connection.execute(schema.events.insert(), [row_of(item) for item in happened])


def select_events(
    connection: Connection, wanted: EventFilter, limit: int, offset: int = 0
) -> list[Event]:
    """Read matching events, newest first."""
    table = schema.events
    query = table.select().order_by(table.c.id.desc()).limit(limit).offset(offset)
    for name in ("type", "category", "container_id", "stream_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(table.c[name] == _fit_value(name, value))
    if wanted.since is not None:
        query = query.where(table.c.at >= _format_date(wanted.since))
    return [
        Event(
            at=datetime.fromisoformat(row.at),
            type=row.type,
            category=row.category,
            message=row.message,
            details=json.loads(row.details),
            ids=json.loads(row.ids),
            id=row.id,
        )
        for row in connection.execute(query)
    ]


def read_dates(connection: Connection) -> list[int]:
    """Read the date of each event in the order of recording (Unix, ns)."""
    table = schema.events
    query = table.select().with_only_columns(table.c.at).order_by(table.c.id)
    return [unix_ns(datetime.fromisoformat(at)) for at in connection.execute(query).scalars()]


def unix_ns(at: datetime) -> int:
    """Convert a date to Unix time."""
    return round(at.timestamp() * 1_000_000) * 1_000


def read_stats(connection: Connection) -> EventStats:
    """Count the events by type."""
    rows = connection.execute(schema.events_by_type).all()
    return EventStats(
        total=sum(row.total for row in rows),
        by_type={row.type: row.total for row in rows},
        oldest=min((datetime.fromisoformat(row.oldest) for row in rows), default=None),
        newest=max((datetime.fromisoformat(row.newest) for row in rows), default=None),
    )


def _fit_value(name: str, value: str) -> str:
    """Fit a value to its column: its length, no NUL, and only characters that UTF-8 encodes.

    A row that the database rejects would fail with every batch and block all others forever.
    """
    size = getattr(schema.events.c[name].type, "length", None)
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")[:size]


def delete_before(connection: Connection, before: datetime) -> int:
    """Delete older events; return how many."""
    table = schema.events
    return connection.execute(table.delete().where(table.c.at < _format_date(before))).rowcount


def delete_over(connection: Connection, kept_rows: int) -> None:
    """Delete all but the newest `kept_rows` events."""
    table = schema.events
    newest = table.select().with_only_columns(table.c.id).order_by(table.c.id.desc())
    oldest_kept = connection.execute(newest.offset(kept_rows - 1).limit(1)).scalar()
    if oldest_kept is not None:
        connection.execute(table.delete().where(table.c.id < oldest_kept))


def _format_date(at: datetime) -> str:
    """Format a date as stored in the column."""
    try:
        at = add_zone(at).astimezone(UTC)
    except OverflowError:  # the first or last representable day: hours do not matter
        at = at.replace(tzinfo=UTC)
    return at.isoformat(timespec="microseconds")


def row_of(item: Event) -> dict[str, str | None]:
    """Convert an event to a row; details that cannot be serialised are omitted."""
    try:
        details = json.dumps(dict(item.details), default=str, ensure_ascii=False)
    except Exception:
        # One event that cannot be written must not block the others.
        log.exception("The details of event %s cannot be stored", item.type)
        details = "{}"
    values = {
        "at": item.at.isoformat(timespec="microseconds"),
        "type": item.type,
        "category": item.category,
        "message": item.message,
        "details": details,
        "ids": json.dumps(dict(item.ids), ensure_ascii=False),
        "container_id": item.ids.get("container_id"),
        "stream_id": item.ids.get("stream_id"),
    }
    return {name: value and _fit_value(name, value) for name, value in values.items()}
