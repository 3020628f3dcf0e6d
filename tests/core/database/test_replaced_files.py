"""Databases that are damaged, replaced, emptied or put back to an older state."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import pytest

from support.eventrows import COUNT, count, put, sqlite, until
from touchline.core.database import database as module
from touchline.core.database.database import Connection, open_database
from touchline.core.database.schema import metadata
from touchline.core.errors import Failed

pytestmark = pytest.mark.anyio


async def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"not a database at all" * 500)
    async with open_database(sqlite(path)) as db:
        await db.write(put)
        assert await db.read(count) == 1
    kept = list(tmp_path.glob("t.db.damaged-*"))
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"not a database at all")


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
