from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from touchline.core.database import schema
from touchline.core.database.database import MARK
from touchline.core.database.dialects import Backend
from touchline.engines.fleet.rows import Loaded, Notes, read_rows, row_of
from touchline.engines.model.model import Stream

BEGAN = datetime(2026, 11, 21, 15, tzinfo=UTC)


def stream(stream_id: str, *, ended_after_s: float | None = None) -> Stream:
    return Stream(
        id=stream_id,
        key_type="infohash",
        key="a" * 40,
        container_id="e1",
        playback_session_id="p1",
        stat_url="http://127.0.0.1/stat",
        command_url="http://127.0.0.1/cmd",
        is_live=True,
        started_at=BEGAN,
        ended_at=None if ended_after_s is None else BEGAN + timedelta(seconds=ended_after_s),
        status="started" if ended_after_s is None else "ended",
    )


def notes(
    *streams: Stream,
    engines: Mapping[str, Mapping[str, Any] | None] | None = None,
    state: Mapping[str, Any] | None = None,
    blocks: Mapping[tuple[str, int], bytes] | None = None,
) -> Notes:
    return Notes({each.id: each for each in streams}, engines or {}, state or {}, blocks or {})


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    backend = Backend(f"sqlite:///{tmp_path}/a.db", connections=1)
    with backend.for_writing.begin() as opened:
        schema.metadata.create_all(opened)
        yield opened
    backend.close()


def read(connection: Connection, oldest: str = "9") -> Loaded:
    return read_rows(connection, oldest)


def test_what_was_written_is_read_back(connection: Connection) -> None:
    written = notes(stream("s1"), engines={"e1": {"a": 1}}, state={"demand": 3})
    written.write(connection, kept_blocks=2)
    found = read(connection)
    assert list(found.streams) == [stream("s1")]
    assert found.engines == {"e1": {"a": 1}}
    assert found.state == {"demand": 3}


def test_a_later_note_replaces_an_earlier_one(connection: Connection) -> None:
    notes(stream("s1"), state={"demand": 3}).write(connection, kept_blocks=2)
    ended = stream("s1", ended_after_s=60)
    notes(ended, state={"demand": None}).write(connection, kept_blocks=2)
    found = read(connection, oldest=row_of(ended)["ended_at"])
    assert list(found.streams) == [ended]
    assert found.state == {}


def test_an_engine_without_facts_is_gone(connection: Connection) -> None:
    notes(engines={"e1": {}, "e2": {}}).write(connection, kept_blocks=2)
    notes(engines={"e1": None}).write(connection, kept_blocks=2)
    assert set(read(connection).engines) == {"e2"}


@pytest.mark.parametrize(
    ("oldest_s", "found"),
    [(100, ["plays"]), (60, ["late", "plays"]), (0, ["early", "late", "plays"])],
)
def test_streams_that_ended_long_ago_are_left(
    connection: Connection, oldest_s: float, found: list[str]
) -> None:
    kept = (
        stream("plays"),
        stream("early", ended_after_s=10),
        stream("late", ended_after_s=90),
    )
    notes(*kept).write(connection, kept_blocks=2)
    oldest = row_of(stream("x", ended_after_s=oldest_s))["ended_at"]
    assert sorted(each.id for each in read(connection, oldest).streams) == found


def test_only_the_newest_blocks_of_each_stream_stay(connection: Connection) -> None:
    notes(blocks={("s1", n): b"x" for n in range(1, 6)}).write(connection, kept_blocks=10)
    notes(blocks={("s1", 6): b"y", ("s2", 1): b"z"}).write(connection, kept_blocks=2)
    rows = connection.execute(schema.sample_blocks.select())
    assert sorted((row.stream_id, row.number) for row in rows) == [
        ("s1", 4), ("s1", 5), ("s1", 6), ("s2", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "damage",
    [
        {"started_at": "yesterday"},
        {"started_at": "2026-11-21T15:00:00"},
        {"status": "confused"},
        {"key": b"\xff"},
    ],
)
def test_a_damaged_stream_hides_no_other(connection: Connection, damage: dict[str, Any]) -> None:
    bad = stream("bad", ended_after_s=60)
    notes(bad, stream("good")).write(connection, kept_blocks=2)
    changed = schema.streams.update().where(schema.streams.c.id == "bad").values(**damage)
    connection.execute(changed)
    assert [each.id for each in read(connection, "0").streams] == ["good"]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_damaged_facts_hide_no_others(
    connection: Connection, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    notes(engines={"bad": {}, "good": {"a": 1}}, state={"bad": 1, "good": 2}).write(
        connection, kept_blocks=2
    )
    for table, key, column in ((schema.engines, "id", "facts"), (schema.state, "key", "value")):
        bad = table.update().where(table.c[key] == "bad")
        connection.execute(bad.values({column: text}))
    found = read(connection)
    assert found.engines == {"good": {"a": 1}}
    assert found.state["good"] == 2
    assert len(caplog.records) >= 1


def test_the_mark_of_the_database_is_no_state(connection: Connection) -> None:
    notes(state={MARK: "x", "demand": 3}).write(connection, kept_blocks=2)
    assert read(connection).state == {"demand": 3}
