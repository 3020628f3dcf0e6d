"""Database rows of the engines half, written and read back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from touchline.core.database import schema
from touchline.core.database.database import MARK, Connection, upsert
from touchline.core.errors import Failed
from touchline.engines.model.listing import parsed, rfc3339
from touchline.engines.model.model import Stream

log = logging.getLogger(__name__)

_COLUMNS = ("id", "container_id", "key_type", "key", "playback_session_id", "stat_url")
_STATES = frozenset({"started", "ended"})
_MORE = ("command_url", "is_live", "status", "end_reason")

T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """Record of an earlier server."""

    streams: Sequence[Stream] = ()
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """Notes that are written together; an engine without facts is deleted."""

    streams: Mapping[str, Stream]
    engines: Mapping[str, Mapping[str, Any] | None]
    state: Mapping[str, Any]
    blocks: Mapping[tuple[str, int], bytes]

    def write(self, connection: Connection, *, kept_blocks: int) -> None:
        """Write the notes, and remove all but the newest blocks of each stream."""
        upsert(connection, schema.streams, [row_of(stream) for stream in self.streams.values()])
        known = {k: facts for k, facts in self.engines.items() if facts is not None}
        upsert(
            connection,
            schema.engines,
            [{"id": key, "facts": json.dumps(facts)} for key, facts in known.items()],
        )
        for key in self.engines.keys() - known.keys():
            connection.execute(schema.engines.delete().where(schema.engines.c.id == key))
        upsert(
            connection,
            schema.state,
            [{"key": key, "value": json.dumps(value)} for key, value in self.state.items()],
        )
        upsert(
            connection,
            schema.sample_blocks,
            [
                {"stream_id": stream_id, "number": number, "content": content}
                for (stream_id, number), content in self.blocks.items()
            ],
        )
        newest = dict(sorted(self.blocks))
        old = [
            {"of_stream": stream_id, "below": number - kept_blocks}
            for stream_id, number in newest.items()
            if number > kept_blocks
        ]
        if old:
            connection.execute(schema.old_sample_blocks, old)


def read_rows(connection: Connection, oldest: str | None) -> Loaded:
    """Return streams that play or ended since `oldest`, engines' facts, and the state."""
    table = schema.streams
    recent = (table.c.status == "started") | (table.c.ended_at >= oldest)
    query = table.select().where(recent).order_by(table.c.started_at)
    streams = [_parse_row(_stream, row) for row in connection.execute(query).mappings()]
    engines = {
        row.id: _parse_row(_object, row.facts)
        for row in connection.execute(schema.engines.select())
    }
    state = {
        row.key: _parse_row(json.loads, row.value)
        for row in connection.execute(schema.state.select())
        if row.key != MARK
    }
    return Loaded(
        streams=[stream for stream in streams if stream is not None],
        engines={key: facts for key, facts in engines.items() if facts is not None},
        state={key: value for key, value in state.items() if value is not None},
    )


def _parse_row(read: Callable[[Any], T], row: Any) -> T | None:
    """Return a parsed row; None if it cannot be read.

    One invalid row must not hide all the rest.
    """
    try:
        return read(row)
    except (Failed, ValueError, TypeError, LookupError, RecursionError) as error:
        log.error("An invalid entry of the database is ignored: %r", error)
        return None


def _object(text: str) -> Mapping[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return value


def row_of(stream: Stream) -> dict[str, Any]:
    """Return the row of a stream."""
    row = {name: getattr(stream, name) for name in (*_COLUMNS, *_MORE)}
    return row | {
        "started_at": rfc3339(stream.started_at),
        "ended_at": rfc3339(stream.ended_at),
    }


def _stream(row: Mapping[Any, Any]) -> Stream:
    started_at = parsed(row["started_at"])
    if started_at is None:
        raise Failed("A stream in the database has no start time", code="database_failed")
    if row["status"] not in _STATES or not all(isinstance(row[name], str) for name in _COLUMNS):
        raise Failed("A stream in the database is invalid", code="database_failed")
    return Stream(
        **{name: row[name] for name in (*_COLUMNS, *_MORE)},
        started_at=started_at,
        ended_at=parsed(row["ended_at"]),
    )
