"""The record of sessions: what outlives the server, and what the database being away changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.fakesystem import AwayDatabase
from touchline.core.database import schema
from touchline.core.database.database import Database
from touchline.web.auth.cookies import LIFETIME_S
from touchline.web.auth.sessions import MOST_SESSIONS, NOTE_EVERY_S, BrowserSessions
from touchline.web.auth.signing import Moment

pytestmark = pytest.mark.anyio

KEY_ID = "key-one"
SUMMER_2027 = 1_813_000_000


class Clocks:
    """What the machine says it is; a test moves it."""

    def __init__(self) -> None:
        self.now = Moment("boot1", 1000, SUMMER_2027, synchronised=True)

    def __call__(self) -> Moment:
        return self.now

    def pass_s(self, passed_s: int) -> None:
        now = self.now
        self.now = replace(now, boottime_s=now.boottime_s + passed_s, unix_s=now.unix_s + passed_s)


class Breakable:
    """A database that can be away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._away = AwayDatabase()
        self.is_away = False

    @property
    def generation(self) -> int:
        return self._database.generation

    async def read(self, work: Any) -> Any:
        return await (self._away if self.is_away else self._database).read(work)

    async def write(self, work: Any) -> Any:
        return await (self._away if self.is_away else self._database).write(work)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Breakable]:
    database = Database(f"sqlite:///{tmp_path}/touchline.db")
    yield Breakable(database)
    await anyio.to_thread.run_sync(database.close)


@asynccontextmanager
async def running(
    store: Breakable, clocks: Clocks, key_id: str = KEY_ID
) -> AsyncIterator[BrowserSessions]:
    """Sessions of a server that runs, once they have read the record."""
    sessions = BrowserSessions(store, key_id, read=clocks)
    async with sessions.open():
        if not store.is_away:
            await until(lambda: sessions.loaded)
        yield sessions


async def until(holds: Any) -> None:
    with anyio.fail_after(20):
        while not holds():
            await anyio.sleep(0.01)


async def written(store: Breakable) -> set[str]:
    return set(await store.read(lambda c: [row.id for row in c.execute(schema.sessions.select())]))


async def until_written(store: Breakable, *ids: str) -> None:
    with anyio.fail_after(20):
        while await written(store) != set(ids):
            await anyio.sleep(0.01)


async def test_a_session_outlives_the_server(store: Breakable, clocks: Clocks) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        await until_written(store, session_id)
    async with running(store, clocks) as sessions:
        assert sessions.find(session_id) is not None


async def test_an_ended_session_stays_ended(store: Breakable, clocks: Clocks) -> None:
    async with running(store, clocks) as sessions:
        kept, ended = sessions.begin(), sessions.begin()
        await until_written(store, kept, ended)
        await sessions.end(ended)
        assert await written(store) == {kept}, "it is written when the sign-out is answered"
    async with running(store, clocks) as sessions:
        assert sessions.find(ended) is None
        assert sessions.find(kept) is not None


async def test_a_change_of_the_key_ends_all_for_good(store: Breakable, clocks: Clocks) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        await until_written(store, session_id)
    async with running(store, clocks, "key-two") as sessions:
        assert sessions.find(session_id) is None
        await until_written(store)
    async with running(store, clocks) as sessions:
        assert sessions.find(session_id) is None, "the old key does not bring it back"


async def test_without_the_database_one_signs_in_and_out_and_it_is_told_later(
    store: Breakable, clocks: Clocks
) -> None:
    async with running(store, clocks) as sessions:
        earlier = sessions.begin()
        await until_written(store, earlier)
    store.is_away = True
    async with running(store, clocks) as sessions:
        assert sessions.find(earlier) is None, "nobody knows whether it was ended"
        kept, ended = sessions.begin(), sessions.begin()
        assert sessions.find(kept) is not None
        await sessions.end(ended)
        await sessions.end(earlier)
        assert sessions.find(ended) is None
        store.is_away = False
        await until_written(store, kept)
        assert sessions.find(earlier) is None


async def test_another_database_is_written_anew(
    store: Breakable, clocks: Clocks, tmp_path: Path
) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        await until_written(store, session_id)
        for path in tmp_path.glob("touchline.db*"):
            path.unlink()
        await until_written(store)  # noticed: the tables are there again, and empty
        sessions.begin()
        with anyio.fail_after(20):
            while session_id not in await written(store):
                await anyio.sleep(0.01)
        assert sessions.find(session_id) is not None


async def test_a_session_ends_after_its_time(store: Breakable, clocks: Clocks) -> None:
    async with running(store, clocks) as sessions:
        found = sessions.find(session_id := sessions.begin())
        clocks.pass_s(LIFETIME_S - 1)
        assert sessions.find(session_id) is found
        clocks.pass_s(1)
        assert sessions.find(session_id) is None
        assert found is not None
        assert found.ended.is_set()


@pytest.mark.parametrize("unix_s", [0, 100, SUMMER_2027 + 10 * LIFETIME_S, SUMMER_2027 - 86_400])
async def test_a_jump_of_the_date_ends_no_session(
    store: Breakable, clocks: Clocks, unix_s: int
) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        clocks.now = replace(clocks.now, unix_s=unix_s)
        assert sessions.find(session_id) is not None
        clocks.pass_s(LIFETIME_S)
        assert sessions.find(session_id) is None, "nor does it lengthen one"


async def test_a_clock_of_1970_after_a_power_cut_keeps_sessions_and_their_age(
    store: Breakable, clocks: Clocks
) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        clocks.pass_s(LIFETIME_S // 2)
        sessions.begin()  # whatever is written brings the ages with it
        await until(lambda: sessions.settled)
        assert NOTE_EVERY_S < LIFETIME_S // 2
    clocks.now = Moment("boot2", 10, 10)
    async with running(store, clocks) as sessions:
        assert sessions.find(session_id) is not None
        clocks.pass_s(LIFETIME_S // 2)
        assert sessions.find(session_id) is None


async def test_time_without_the_machine_counts_where_the_date_is_known(
    store: Breakable, clocks: Clocks
) -> None:
    async with running(store, clocks) as sessions:
        session_id = sessions.begin()
        await until_written(store, session_id)
    clocks.now = Moment("boot2", 10, SUMMER_2027 + LIFETIME_S, synchronised=True)
    async with running(store, clocks) as sessions:
        assert sessions.find(session_id) is None


async def test_the_oldest_gives_way(clocks: Clocks) -> None:
    sessions = BrowserSessions(AwayDatabase(), KEY_ID, read=clocks)
    first, *others = [sessions.begin() for _ in range(MOST_SESSIONS + 1)]
    assert sessions.find(first) is None
    assert all(sessions.find(each) for each in others)
