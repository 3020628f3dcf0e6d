from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, OperationalError

from touchline.core.database import schema
from touchline.core.database.dialects import Backend, database_url, upsert
from touchline.core.errors import Invalid


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgres://me:s@host/db", "postgresql+psycopg://me:s@host/db"),
        ("postgresql://me:s@host:5/db?x=1", "postgresql+psycopg://me:s@host:5/db?x=1"),
        ("postgresql+asyncpg://host/db", "postgresql+psycopg://host/db"),
        ("sqlite:////data/a.db", "sqlite:////data/a.db"),
        ("sqlite+aiosqlite:///a.db", "sqlite:///a.db"),
    ],
)
def test_urls_are_written_as_the_driver_wants_them(given: str, url: str) -> None:
    assert database_url(given) == url


@pytest.mark.parametrize(
    "given", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "http://x/y"]
)
def test_other_databases_are_refused(given: str) -> None:
    with pytest.raises(Invalid):
        database_url(given)


def opened(path: Path) -> Backend:
    return Backend(f"sqlite:///{path}", connections=1)


def stamp(backend: Backend) -> str:
    """Write to the file, as its connections do."""
    with backend.for_writing.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS kept (x INTEGER)"))
        connection.execute(text("INSERT INTO kept VALUES (1)"))
    return str(backend.file)


def rows_in(backend: Backend) -> int:
    with backend.for_reading.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM kept")).scalar_one())


def test_a_password_is_not_shown() -> None:
    backend = Backend("postgresql+psycopg://me:s3cret@127.0.0.1/db", connections=1)
    assert "s3cret" not in backend.name
    assert "127.0.0.1" in backend.name
    assert backend.file is None
    assert backend.is_same_file()


def test_a_file_is_opened_so_that_answered_writes_survive(tmp_path: Path) -> None:
    backend = opened(tmp_path / "a.db")
    with backend.for_reading.begin() as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    backend.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    assert backend.is_closed


def test_only_the_writer_locks_the_file(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "a.db"), opened(tmp_path / "a.db")
    stamp(first)
    with second.for_reading.connect() as waiting, first.for_writing.begin():
        waiting.exec_driver_sql("PRAGMA busy_timeout = 0")
        waiting.commit()
        assert waiting.execute(text("SELECT count(*) FROM kept")).scalar_one() == 1
        waiting.rollback()
        impatient = waiting.execution_options(writes=True)
        with pytest.raises(OperationalError, match="locked"):
            impatient.execute(text("INSERT INTO kept VALUES (2)"))
    for backend in (first, second):
        backend.close()


def test_a_file_that_was_replaced_is_noticed_and_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    backend = opened(path)
    stamp(backend)
    assert backend.is_same_file()
    other = opened(tmp_path / "b.db")
    for _ in range(3):
        stamp(other)
    other.close()
    (tmp_path / "b.db").replace(path)
    assert not backend.is_same_file()
    backend.reopen()
    assert rows_in(backend) == 3
    assert backend.is_same_file()
    path.unlink()
    assert not backend.is_same_file()
    backend.close()


def test_a_damaged_file_is_set_aside_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all" * 100)
    (tmp_path / "a.db-wal").write_bytes(b"log")
    backend = opened(path)
    with pytest.raises(DatabaseError) as raised, backend.for_reading.begin():
        pass
    kept = backend.set_aside(raised.value)
    assert kept is not None
    assert kept.name.startswith("a.db.damaged-")
    assert kept.read_bytes().startswith(b"not a database")
    assert not (tmp_path / "a.db-wal").exists()
    stamp(backend)
    assert rows_in(backend) == 1
    backend.close()


def test_a_file_that_is_only_busy_stays(tmp_path: Path) -> None:
    backend = opened(tmp_path / "a.db")
    stamp(backend)
    busy = OperationalError("SELECT 1", {}, Exception("database is locked"))
    assert backend.set_aside(busy) is None
    assert rows_in(backend) == 1
    backend.close()


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        ("no such table: streams", True),
        ("no such column: x", True),
        ("table streams has no column named x", True),
        ("database is locked", False),
    ],
)
def test_a_missing_part_is_told_from_other_errors(
    tmp_path: Path, words: str, *, lacks: bool
) -> None:
    backend = opened(tmp_path / "a.db")
    assert backend.lacks_table(OperationalError("", {}, Exception(words))) is lacks
    server = Backend("postgresql+psycopg://127.0.0.1/db", connections=1)
    assert not server.lacks_table(OperationalError("", {}, Exception(words)))


@pytest.mark.parametrize(("state", "lacks"), [("42P01", True), ("42703", True), ("08006", False)])
def test_a_server_says_by_number_what_is_missing(state: str, *, lacks: bool) -> None:
    server = Backend("postgresql+psycopg://127.0.0.1/db", connections=1)
    error: Any = RuntimeError()
    error.orig = SimpleNamespace(sqlstate=state)
    assert server.lacks_table(error) is lacks


def test_connections_that_only_read_are_let_go_of(tmp_path: Path) -> None:
    backend = opened(tmp_path / "a.db")
    stamp(backend)

    def is_marked() -> bool:
        with backend.for_reading.connect() as connection:
            return "mark" in connection.info

    with backend.for_reading.connect() as connection:
        connection.info["mark"] = True
    backend.forget_read_only(OperationalError("", {}, Exception("database is locked")))
    assert is_marked()
    backend.forget_read_only(
        OperationalError("", {}, Exception("attempt to write a readonly database"))
    )
    assert not is_marked()
    backend.close()


def kept_state(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(schema.state.select())}


def test_rows_replace_those_of_their_key_and_the_last_one_counts(db_url: str) -> None:
    backend = Backend(database_url(db_url), connections=1)
    with backend.for_writing.begin() as connection:
        schema.metadata.create_all(connection)
        upsert(connection, schema.state, [])
        upsert(connection, schema.state, [{"key": k, "value": "1"} for k in ("a", "b")])
        again = [{"key": "b", "value": v} for v in ("2", "3")]
        upsert(connection, schema.state, [*again, {"key": "c", "value": "4"}])
        assert kept_state(connection) == {"a": "1", "b": "3", "c": "4"}
    backend.close()
