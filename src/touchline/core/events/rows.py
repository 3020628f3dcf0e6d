"""Events as rows of the database. Block: called on the database's threads."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from touchline.core.database import schema
from touchline.core.events.event import Event, EventFilter, EventStats, zoned

if TYPE_CHECKING:
    from touchline.core.database.database import Connection

log = logging.getLogger(__name__)


def insert_events(connection: Connection, happened: Sequence[Event]) -> None:
    """Write events, in their order."""
    if happened:
        connection.execute(schema.events.insert(), [row_of(item) for item in happened])


def select_events(
    connection: Connection, wanted: EventFilter, limit: int, offset: int = 0
) -> list[Event]:
    """Read the events that fit, newest first."""
    table = schema.events
    query = table.select().order_by(table.c.id.desc()).limit(limit).offset(offset)
    for name in ("type", "category", "container_id", "stream_id"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(table.c[name] == _kept(name, value))
    if wanted.since is not None:
        query = query.where(table.c.at >= _text(wanted.since))
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
    """Read when each event happened, in the order in which they were noted (Unix, ns)."""
    table = schema.events
    query = table.select().with_only_columns(table.c.at).order_by(table.c.id)
    return [unix_ns(datetime.fromisoformat(at)) for at in connection.execute(query).scalars()]


def unix_ns(at: datetime) -> int:
    """Return a date as Unix time."""
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


def _kept(name: str, value: str) -> str:
    """As a database takes it: no longer than the column, and no character that has no UTF-8.

    What one of them refuses would come again with every batch, and hold up all others for ever.
    """
    size = getattr(schema.events.c[name].type, "length", None)
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")[:size]


def delete_before(connection: Connection, before: datetime) -> int:
    """Delete older events; return how many."""
    table = schema.events
    return connection.execute(table.delete().where(table.c.at < _text(before))).rowcount


def delete_over(connection: Connection, kept_rows: int) -> None:
    """Delete all but the newest `kept_rows` events."""
    table = schema.events
    newest = table.select().with_only_columns(table.c.id).order_by(table.c.id.desc())
    oldest_kept = connection.execute(newest.offset(kept_rows - 1).limit(1)).scalar()
    if oldest_kept is not None:
        connection.execute(table.delete().where(table.c.id < oldest_kept))


def _text(at: datetime) -> str:
    """As the column has it."""
    try:
        at = zoned(at).astimezone(UTC)
    except OverflowError:  # the first or the last day there is: hours do not matter
        at = at.replace(tzinfo=UTC)
    return at.isoformat(timespec="microseconds")


def row_of(item: Event) -> dict[str, str | None]:
    """Return an event as its row; one that cannot be written whole loses its details."""
    try:
        details = json.dumps(dict(item.details), default=str, ensure_ascii=False)
    except Exception:
        # One event that cannot be written must not hold up the others.
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
    return {name: value and _kept(name, value) for name, value in values.items()}
