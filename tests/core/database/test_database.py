from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import event

from support.postgres import Cluster
from touchline.core.database import database as module
from touchline.core.database.database import Connection, Database, database_url, open_database
from touchline.core.database.schema import events, metadata
from touchline.core.errors import Failed, Invalid

pytestmark = pytest.mark.anyio

DEADLINE_S = 10.0
COUNT = "SELECT count(*) FROM events"
ROW = {"at": "2026", "type": "t", "category": "c", "message": "m", "details": "{}", "ids": "{}"}


def put(connection: Connection) -> None:
    connection.execute(events.insert(), ROW)


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql(COUNT).scalar_one())


def sqlite(path: Path) -> str:
    return f"sqlite:///{path}"


def wait_for(hold: threading.Event, _: Connection) -> None:
    hold.wait(DEADLINE_S)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(DEADLINE_S):
        while not condition():
            await anyio.sleep(0.02)


async def result_of(future: Any) -> Any:
    return await anyio.to_thread.run_sync(future.result, DEADLINE_S)


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
    assert 2 <= len(commits) <= 3


async def test_what_was_submitted_is_written_before_it_closes(db_url: str) -> None:
    async with open_database(db_url) as db:
        for _ in range(50):
            db.submit(put)
    with pytest.raises(Failed, match="closed"):
        db.submit(put)
    async with open_database(db_url) as db:
        assert await db.read(count) == 50


async def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"not a database at all" * 500)
    async with open_database(sqlite(path)) as db:
        await db.write(put)
        assert await db.read(count) == 1
    kept = list(tmp_path.glob("t.db.damaged-*"))
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"not a database at all")


async def test_a_place_that_cannot_be_written_fails_each_statement_until_it_can(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").write_text("a file in the way")
    async with open_database(sqlite(tmp_path / "state" / "t.db")) as db:
        with pytest.raises(Failed):
            await db.write(put)
        with pytest.raises(Failed):
            await db.read(count)
        (tmp_path / "state").unlink()
        await db.write(put)
    shutil.rmtree(tmp_path / "state")


@pytest.mark.parametrize("how", ["removed", "replaced by an older one"])
async def test_a_file_that_is_replaced_under_the_server_is_opened_anew(
    tmp_path: Path, how: str
) -> None:
    path, older = tmp_path / "t.db", tmp_path / "older.db"
    async with open_database(sqlite(older)) as database:
        await database.write(put)
    async with open_database(sqlite(path)) as database:
        for _ in range(3):
            await database.write(put)
        assert (database.generation, await database.read(count)) == (0, 3)
        if how == "removed":
            for each in tmp_path.glob("t.db*"):
                each.unlink()
        else:
            older.replace(path)
        assert await database.read(count) == (0 if how == "removed" else 1)
        assert database.generation == 1
        await database.write(put)
    with sqlite3.connect(path) as connection:
        assert connection.execute(COUNT).fetchone() == (1 if how == "removed" else 2,)


async def test_tables_that_are_gone_are_made_anew(db_url: str) -> None:
    async with open_database(db_url) as database:
        await database.write(put)

        def drop(connection: Connection) -> None:
            metadata.drop_all(connection)
            connection.exec_driver_sql("DROP TABLE alembic_version")

        await database.write(drop)
        with pytest.raises(Failed):
            await database.write(put)
        await database.write(put)
        assert (database.generation, await database.read(count)) == (1, 1)


async def test_an_older_copy_is_noticed_though_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)
    path, copy = tmp_path / "t.db", tmp_path / "copy.db"

    def marks() -> set[object]:
        with sqlite3.connect(path) as connection:
            query = f"SELECT value FROM state WHERE key = '{module.MARK}'"
            return {row[0] for row in connection.execute(query)}

    async with open_database(sqlite(path)) as database:
        await database.write(put)
        await until(lambda: bool(marks()))
        with sqlite3.connect(path) as connection, sqlite3.connect(copy) as kept:
            connection.backup(kept)
        before = marks()
        await database.write(put)
        await until(lambda: marks() != before)
        assert database.generation == 0
        with sqlite3.connect(copy) as kept, sqlite3.connect(path) as connection:
            kept.backup(connection)  # in place: it is the same file
        await until(lambda: database.generation == 1)
        await until(lambda: marks() != before)
        # What is there now is its own again.
        await database.write(put)
        await anyio.sleep(0.3)
        assert database.generation == 1


async def test_a_database_that_only_reads_for_a_while_is_written_again(postgres: Cluster) -> None:
    url = postgres.database()
    name = url.partition("@/")[2].partition("?")[0]
    async with open_database(url) as database:
        await database.write(put)
        setting = f'ALTER DATABASE "{name}" SET default_transaction_read_only'
        postgres.order(f"{setting} = on")
        postgres.disconnect(name)
        for _ in range(2):
            with pytest.raises(Failed, match="read-only"):
                await database.write(put)
            assert await database.read(count) == 1
        postgres.order(f"{setting} = off")
        with anyio.fail_after(DEADLINE_S):
            while True:
                try:
                    await database.write(put)
                    break
                except Failed:
                    await anyio.sleep(0.05)
        assert (database.generation, await database.read(count)) == (0, 2)


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


async def test_a_server_that_was_away_is_used_again_when_it_is_back(postgres: Cluster) -> None:
    async with open_database(postgres.database()) as db:
        await db.write(put)
        await anyio.to_thread.run_sync(postgres.stop)
        try:
            for _ in range(2):
                with pytest.raises(Failed) as caught:
                    await db.write(put)
                assert caught.value.code == "database_failed"
                with pytest.raises(Failed):
                    await db.read(count)
        finally:
            await anyio.to_thread.run_sync(postgres.resume)
        await db.write(put)
        assert await db.read(count) == 2


async def test_a_connection_that_breaks_within_a_group_costs_nothing(postgres: Cluster) -> None:
    broken = False

    def broken_once(connection: Connection) -> None:
        nonlocal broken
        put(connection)
        if not broken:
            broken = True
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with postgres.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            put(connection)

    async with open_database(postgres.database()) as db:
        hold = threading.Event()
        db.submit(lambda _: hold.wait(DEADLINE_S))
        futures = [db.submit(put), db.submit(broken_once), db.submit(put)]
        hold.set()
        for future in futures:
            await result_of(future)
        assert await db.read(count) == 3


async def test_a_frozen_server_holds_up_neither_readers_nor_the_end(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_TIMEOUT_S", 0.2)
    frozen: list[int] = []

    def freeze(connection: Connection) -> None:
        pid = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        os.kill(pid, signal.SIGSTOP)
        frozen.append(pid)
        connection.exec_driver_sql("SELECT 1")

    before = set(threading.enumerate())
    try:
        async with open_database(postgres.database()) as db:
            with pytest.raises(Failed, match="did not respond"):
                await db.read(freeze, within_s=0.2)
            write = db.submit(freeze)
            with anyio.fail_after(DEADLINE_S):
                while len(frozen) < 2:
                    await anyio.sleep(0.005)
            assert await db.read(count) == 0, "other connections go on"
        with pytest.raises(Failed, match="closed"):
            await result_of(write)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    with anyio.fail_after(DEADLINE_S):
        while any(t.name == "db-writer" for t in set(threading.enumerate()) - before):
            await anyio.sleep(0.005)


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
