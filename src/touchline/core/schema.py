"""The tables of the server's own database. Recordings are not in it: their folder is the record.

Times are text: ISO with microseconds in UTC sorts by time, and every tool shows it as it is.
A change here goes with a migration in `core/migrations/versions` that makes it.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, func, select

REVISIONS = ("0001", "0002")
"""The migrations this program knows, oldest first; the last one makes the tables below."""

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False, index=True),
    Column("type", String(80), nullable=False, index=True),
    Column("category", String(40), nullable=False, index=True),
    Column("message", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("ids", Text, nullable=False),
    Column("container_id", String(256), index=True),
    Column("stream_id", String(256), index=True),
)

events_by_type = select(
    events.c.type,
    func.count().label("total"),
    func.min(events.c.at).label("oldest"),
    func.max(events.c.at).label("newest"),
).group_by(events.c.type)
"""How many events of each type there are, and from when to when."""
