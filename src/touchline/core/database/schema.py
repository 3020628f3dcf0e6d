"""The tables of the server's own database. Recordings are not in it: their folder is the record.

Times are text: ISO with microseconds in UTC sorts by time, and every tool shows it as it is.
A change here goes with a migration in `core/migrations/versions` that makes it.
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

engines = Table(
    "engines",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("facts", Text, nullable=False),
)
"""What an engine's labels do not say, as JSON: the labels of its container are the record."""

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
"""Samples of a stream, packed, so many to a block; `number` grows with time."""

old_sample_blocks = sample_blocks.delete().where(
    sample_blocks.c.stream_id == bindparam("of_stream"),
    sample_blocks.c.number < bindparam("below"),
)
"""Blocks of a stream that nobody will read any more."""

state = Table(
    "state",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)
"""What else is remembered, as JSON: demand, circuit breakers."""

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
"""Browsers that are signed in: with which key, and how old the session was at which moment."""
