"""The database: reading, writing in groups, closing, and its URL."""

from __future__ import annotations

import sqlite3
import threading
import time
from functools import partial
from pathlib import Path

import anyio
import pytest
from sqlalchemy import event

from support.eventrows import DEADLINE_S, count, put, result_of, sqlite, wait_for
from touchline.core.database import database as module
from touchline.core.database.database import Connection, Database, database_url, open_database
from touchline.core.errors import Failed, Invalid

pytestmark = pytest.mark.anyio


async def test_what_is_written_is_there_after_reopening(db_url: str) -> None:
    async with open_database(db_url) as db:
        await db.write(put)
    async with open_database(db_url) as db:
        assert await db.read(count) == 1


async def test_sqlite_survives_a_power_cut_and_is_read_beside_the_writer(tmp_path: Path) -> None:
    async with open_database(sqlite(tmp_path / "state" / "t.db")) as db:
        mode = await db.read(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar())
        full = await db.read(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar())
    assert (mode, full) == ("wal", 2)


async def test_a_failing_job_loses_its_own_changes_and_nobody_elses(db_url: str) -> None:
    async with open_database(db_url) as db:
        hold = threading.Event()
        first = db.submit(lambda _: hold.wait(DEADLINE_S))  # the next ones share a commit behind it

        def half(connection: Connection) -> None:
            put(connection)
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

        def mine(connection: Connection) -> None:
            put(connection)
            raise KeyError("mine")

        good = [db.submit(put), db.submit(put)]
        bad, own = db.submit(half), db.submit(mine)
        after = db.submit(put)
        hold.set()
        with pytest.raises(Failed, match="nowhere"):
            await result_of(bad)
        with pytest.raises(KeyError, match="mine"):
            await result_of(own)
        for future in (first, *good, after):
            await result_of(future)
        assert await db.read(count) == 3


async def test_many_writers_share_commits(db_url: str) -> None:
    commits: list[Connection] = []
    async with open_database(db_url) as db:
        event.listen(db._backend.for_writing, "commit", commits.append)
        hold = threading.Event()
        db.submit(lambda _: hold.wait(DEADLINE_S))
        futures = [db.submit(put) for _ in range(300)]
        hold.set()
        for future in futures:
            await result_of(future)
        assert await db.read(count) == 300
    # The first write, alone or in a group, the rest in groups of 200, and perhaps the mark by which
    # the database is recognised.
    assert 2 <= len(commits) <= 4


async def test_what_was_submitted_is_written_before_it_closes(db_url: str) -> None:
    async with open_database(db_url) as db:
        for _ in range(50):
            db.submit(put)
    with pytest.raises(Failed, match="closed"):
        db.submit(put)
    async with open_database(db_url) as db:
        assert await db.read(count) == 50


async def test_another_programs_lock_costs_a_group_one_wait_and_not_one_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("touchline.core.database.dialects.BUSY_TIMEOUT_MS", 200)
    path = tmp_path / "t.db"
    async with open_database(sqlite(path)) as db:
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            began_s = time.monotonic()
            futures = [db.submit(put) for _ in range(100)]
            for future in futures:
                with pytest.raises(Failed, match="locked"):
                    await result_of(future)
            took_s = time.monotonic() - began_s
            assert await db.read(count) == 0, "reading goes on"
            other.execute("ROLLBACK")
        await db.write(put)
        assert await db.read(count) == 1
    assert took_s < 2


async def test_a_group_that_the_database_makes_slow_is_given_up(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "APART_TIMEOUT_S", -1.0)

    def fail(_: Connection) -> None:
        raise KeyError("so that the group is written job by job")

    async with open_database(db_url) as db:
        for work in (fail, put):
            hold = threading.Event()
            db.submit(partial(wait_for, hold))
            futures = [db.submit(work), db.submit(fail)]
            hold.set()
            for future in futures:
                with pytest.raises(Failed, match="too long"):
                    await result_of(future)
        await db.write(put)
        assert await db.read(count) == 1


async def test_who_waits_for_a_failing_start_is_told_its_outcome_and_does_not_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def refuse(_: Database) -> None:
        tried.append(time.monotonic())
        time.sleep(0.3)
        raise OSError("the server is away")

    monkeypatch.setattr(Database, "_open", refuse)
    refused: list[Failed] = []
    db = Database(sqlite(tmp_path / "t.db"))

    async def read() -> None:
        with pytest.raises(Failed, match="away") as caught:
            await db.read(count)
        refused.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(module.READERS):
            tasks.start_soon(read)
    db.close()
    assert len(refused) == module.READERS
    assert len(tried) <= 2


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


def test_the_name_that_is_shown_hides_the_password() -> None:
    db = Database(database_url("postgresql://club:secret@127.0.0.1:1/touchline"))
    db.close()
    assert db.name == "postgresql+psycopg://club:***@127.0.0.1:1/touchline"
