"""Tables of the server's database. Recordings are not in it: their folder is the record.

Times are text: ISO 8601 in UTC with microseconds sorts by time and is readable in every tool. Each
change of a table needs a migration in `core/database/migrations/versions`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
)

REVISIONS = ("0001", "0002", "0003", "0004")
"""The known migrations, oldest first; the last one produces the tables below."""

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
"""Number and time range of the events of each type."""

engines = Table(
    "engines",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("facts", Text, nullable=False),
)
"""Facts that the labels of an engine's container, the primary record, do not hold, as JSON."""

streams = Table(
    "streams",
    metadata,
    Column("id", String(256), primary_key=True),
    Column("container_id", String(160), nullable=False, index=True),
    Column("key_type", String(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("playback_session_id", Text, nullable=False),
    Column("stat_url", Text, nullable=False),
    Column("command_url", Text, nullable=False),
    Column("is_live", Boolean, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("ended_at", String(40), index=True),
    Column("status", String(16), nullable=False, index=True),
    Column("end_reason", Text),
)

sample_blocks = Table(
    "sample_blocks",
    metadata,
    Column("stream_id", String(256), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""Packed samples of a stream in blocks; `number` grows with time."""

old_sample_blocks = sample_blocks.delete().where(
    sample_blocks.c.stream_id == bindparam("of_stream"),
    sample_blocks.c.number < bindparam("below"),
)
"""Deletion of a stream's blocks that are no longer read."""

state = Table(
    "state",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Other persistent state as JSON: demand, circuit breakers."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_id", String(64), nullable=False),
    Column("age_s", BigInteger, nullable=False),
    Column("boot", String(64), nullable=False),
    Column("boottime_s", BigInteger, nullable=False),
    Column("unix_s", BigInteger, nullable=False),
    Column("synchronised", Boolean, nullable=False),
)
"""Browsers that are signed in: the key used, and the session's age at a given moment."""
