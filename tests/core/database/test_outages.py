"""Databases that cannot be written or reached for a while."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from support import disks
from support.eventrows import DEADLINE_S, count, put, result_of, sqlite
from support.postgres import Cluster
from touchline.core.database import database as module
from touchline.core.database.database import Connection, open_database
from touchline.core.errors import Failed

pytestmark = pytest.mark.anyio


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[disks.SmallDisk]:
    yield from disks.small_disk(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[disks.Image]:
    yield from disks.image(tmp_path)


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


@pytest.mark.parametrize("repaired", ["while no server runs", "under the server"])
async def test_a_disk_that_turns_read_only_is_read_and_written_again_once_it_is_repaired(
    image: disks.Image, repaired: str
) -> None:
    path = image.at / "t.db"
    async with open_database(sqlite(path)) as db:
        for _ in range(3):
            await db.write(put)
        image.fail()
        for _ in range(3):
            with pytest.raises(Failed) as caught:
                await db.write(put)
            assert caught.value.code == "database_failed"
            assert await db.read(count) == 3
        assert db.generation == 0
        assert {each.name for each in image.at.glob("t.db*")} >= {"t.db", "t.db-wal"}
        if repaired == "under the server":
            image.repair_under_its_users()
            assert await db.read(count) == 3
            await db.write(put)
    if repaired == "while no server runs":
        image.repair()
    async with open_database(sqlite(path)) as db:
        await db.write(put)
        assert await db.read(count) == (5 if repaired == "under the server" else 4)
    assert [each.name for each in image.at.glob("t.db*")] == ["t.db"]


async def test_a_server_on_a_disk_that_is_read_only_works_once_it_can_write(
    small_disk: disks.SmallDisk,
) -> None:
    path = small_disk.at / "t.db"
    async with open_database(sqlite(path)) as db:
        await db.write(put)
    small_disk.turn(writable=False)
    async with open_database(sqlite(path)) as db:
        with pytest.raises(Failed):
            await db.write(put)
        small_disk.turn(writable=True)
        await db.write(put)
        assert (db.generation, await db.read(count)) == (0, 2)
    assert [each.name for each in small_disk.at.iterdir()] == ["t.db"]
