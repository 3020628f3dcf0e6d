"""Import from the database of the earlier orchestrator, which `database.url` may name.

Its tables are kept under other names. Only its events are imported: that program emptied all other
tables at each start.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, inspect, text

from touchline.core.database import schema

TABLES = ("engines", "streams", "stream_stats", "config", "events")
PREFIX = "earlier_"

log = logging.getLogger(__name__)


def is_there(connection: Connection) -> bool:
    """Return whether the tables are those of the earlier system."""
    inspector = inspect(connection)
    if not inspector.has_table("events"):
        return False
    return {"timestamp", "event_type"} <= {c["name"] for c in inspector.get_columns("events")}


def rename(connection: Connection) -> None:
    """Rename the earlier system's tables whose names are used here."""
    there = set(inspect(connection).get_table_names())
    for name in TABLES:
        if name in there:
            connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {PREFIX}{name}")


def copy(connection: Connection) -> None:
    """Copy the earlier system's events into our table, in their order."""
    rows = []
    for found in connection.execute(text(f"SELECT * FROM {PREFIX}events ORDER BY id")).mappings():  # noqa: S608
        try:
            rows.append(_row(found))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("Skipping an event of the earlier system: %r", error)
    if rows:
        connection.execute(schema.events.insert(), rows)
    log.warning("Imported %d events; the earlier tables are kept as %s*", len(rows), PREFIX)


def _row(found: Any) -> dict[str, Any]:
    about = {name: found[name] for name in ("container_id", "stream_id")}
    details = found["details"]
    # SQLite returns JSON and times as text, PostgreSQL as parsed values.
    details = json.loads(details) if isinstance(details, str) else details
    at = found["timestamp"]
    at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return {
        "at": at.isoformat(timespec="microseconds"),
        "type": found["event_type"],
        "category": found["category"],
        "message": found["message"],
        "details": json.dumps(details or {}, ensure_ascii=False),
        "ids": json.dumps({k: v for k, v in about.items() if v is not None}, ensure_ascii=False),
        **about,
    }
