from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from touchline.core import schema
from touchline.core.db import Connection, database_url, open_database
from touchline.core.errors import Failed, Invalid
from touchline.core.schema import REVISIONS

pytestmark = pytest.mark.anyio

INSERT = (
    "INSERT INTO events (at, type, category, message, details, ids)"
    " VALUES ('2026', 't', 'c', 'm', '{}', '{}')"
)
COUNT = "SELECT count(*) FROM events"
REVISION = "SELECT version_num FROM alembic_version"


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}"


async def test_what_is_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "state" / "touchline.db"
    async with open_database(sqlite(path)) as db:
        await db.write(lambda c: c.exec_driver_sql(INSERT))
    async with open_database(sqlite(path)) as db:
        assert await db.read(lambda c: c.exec_driver_sql(COUNT).scalar_one()) == 1
        version = await db.read(lambda c: c.exec_driver_sql(REVISION).scalar_one())
        mode = await db.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar_one())
    assert (version, mode) == (REVISIONS[-1], "wal")


async def test_a_failing_job_loses_its_own_changes_and_nobody_elses(tmp_path: Path) -> None:
    async with open_database(sqlite(tmp_path / "t.db")) as db:
        hold = threading.Event()
        first = db.submit(lambda _: hold.wait(10))  # the next three share a commit behind it
        good = [db.submit(lambda c: c.exec_driver_sql(INSERT).rowcount) for _ in range(2)]

        def half(connection: object) -> None:
            connection.exec_driver_sql(INSERT)  # type: ignore[attr-defined]
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")  # type: ignore[attr-defined]

        bad = db.submit(half)
        hold.set()
        with pytest.raises(Failed, match="nowhere"):
            await anyio.to_thread.run_sync(bad.result)
        assert [await anyio.to_thread.run_sync(f.result) for f in good] == [1, 1]
        assert first.result()
        assert await db.read(lambda c: c.exec_driver_sql(COUNT).scalar_one()) == 2


async def test_an_error_of_the_work_itself_reaches_who_asked(tmp_path: Path) -> None:
    def work(_: object) -> None:
        raise KeyError("mine")

    async with open_database(sqlite(tmp_path / "t.db")) as db:
        with pytest.raises(KeyError, match="mine"):
            await db.write(work)
        await db.write(lambda c: c.exec_driver_sql(INSERT))


async def test_many_writers_share_commits(tmp_path: Path) -> None:
    async with open_database(sqlite(tmp_path / "t.db")) as db, anyio.create_task_group() as tasks:
        for _ in range(300):
            tasks.start_soon(lambda: db.write(lambda c: c.exec_driver_sql(INSERT).rowcount))
    with sqlite3.connect(tmp_path / "t.db") as plain:
        assert plain.execute(COUNT).fetchone() == (300,)


async def test_what_was_submitted_is_written_before_it_closes(tmp_path: Path) -> None:
    async with open_database(sqlite(tmp_path / "t.db")) as db:
        for _ in range(50):
            db.submit(lambda c: c.exec_driver_sql(INSERT).rowcount)
    with pytest.raises(Failed, match="closed"):
        db.submit(lambda _: None)
    with sqlite3.connect(tmp_path / "t.db") as plain:
        assert plain.execute(COUNT).fetchone() == (50,)


async def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"not a database at all" * 500)
    async with open_database(sqlite(path)) as db:
        await db.write(lambda c: c.exec_driver_sql(INSERT))
        assert await db.read(lambda c: c.exec_driver_sql(COUNT).scalar_one()) == 1
    kept = list(tmp_path.glob("t.db.damaged-*"))
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"not a database at all")


async def test_a_place_that_cannot_be_written_fails_each_statement_until_it_can(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    async with open_database(sqlite(tmp_path / "state" / "t.db")) as db:
        with pytest.raises(Failed):
            await db.write(lambda c: c.exec_driver_sql(INSERT))
        with pytest.raises(Failed):
            await db.read(lambda c: c.exec_driver_sql(COUNT).scalar_one())
        (tmp_path / "state").unlink()
        await db.write(lambda c: c.exec_driver_sql(INSERT))
    shutil.rmtree(tmp_path / "state")


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as plain:
        plain.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        plain.execute("INSERT INTO alembic_version VALUES ('9999')")
    async with open_database(sqlite(path)) as db:
        with pytest.raises(Failed, match="newer touchline") as caught:
            await db.write(lambda c: c.exec_driver_sql(INSERT))
    assert caught.value.code == "database_newer"
    with sqlite3.connect(path) as plain:
        assert plain.execute(REVISION).fetchone() == ("9999",)
        assert plain.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


async def test_a_database_from_before_migrations_keeps_its_events(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as plain:
        plain.executescript(
            """
            CREATE TABLE events (
                id INTEGER NOT NULL, at VARCHAR(40) NOT NULL, type VARCHAR(80) NOT NULL,
                category VARCHAR(40) NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
                ids TEXT NOT NULL, PRIMARY KEY (id)
            );
            CREATE INDEX ix_events_at ON events (at);
            CREATE INDEX ix_events_type ON events (type);
            CREATE INDEX ix_events_category ON events (category);
            PRAGMA user_version = 1;
            """
        )
        plain.execute(INSERT)
    async with open_database(sqlite(path)) as db:
        assert await db.read(lambda c: c.exec_driver_sql(COUNT).scalar_one()) == 1
        assert await db.read(lambda c: c.exec_driver_sql(REVISION).scalar_one()) == REVISIONS[-1]


async def test_migrations_make_the_tables_that_the_program_uses(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))

    async with open_database(sqlite(tmp_path / "t.db")) as db:
        assert await db.read(differences) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sqlite:////data/t.db", "sqlite:////data/t.db"),
        ("postgres://a:b@h/d", "postgresql+psycopg://a:b@h/d"),
        ("postgresql+asyncpg://h/d", "postgresql+psycopg://h/d"),
    ],
)
def test_a_url_is_brought_into_the_form_that_is_needed(given: str, meant: str) -> None:
    assert database_url(given) == meant


@pytest.mark.parametrize(
    "given", ["", "orchestrator.db", "mysql://h/d", "sqlite://", "sqlite:///:memory:"]
)
def test_a_url_of_something_else_is_refused(given: str) -> None:
    with pytest.raises(Invalid, match="database"):
        database_url(given)
