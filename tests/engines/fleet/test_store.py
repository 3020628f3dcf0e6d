"""What the engines half keeps, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from touchline.core.database.database import open_database
from touchline.core.errors import Blocked
from touchline.core.events.event import EventFilter, make_event
from touchline.core.events.log import EventLog, open_events
from touchline.core.metrics import Metrics
from touchline.engines.fleet.store import Store, open_store
from touchline.engines.model.model import Stream

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR_S = 3600.0


def stream(stream_id: str, **changes: object) -> Stream:
    made = Stream(
        id=stream_id,
        key_type="infohash",
        key="a" * 40,
        container_id="c1",
        playback_session_id="p",
        stat_url="http://127.0.0.1/s",
        command_url="http://127.0.0.1/c",
        is_live=True,
        started_at=NOON,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(
    url: str, blocks: list[tuple[str, int, bytes]] | None = None
) -> AsyncIterator[tuple[Store, EventLog]]:
    def give() -> list[tuple[str, int, bytes]]:
        given, waiting[:] = list(waiting), []
        return given

    waiting = blocks if blocks is not None else []
    async with (
        open_database(url) as database,
        open_events(database, Metrics()) as events,
        open_store(database, events, blocks=give, kept_blocks=2) as store,
    ):
        yield store, events


async def test_what_was_saved_is_there_with_its_event(db_url: str) -> None:
    ended = stream("b", status="ended", ended_at=NOON + timedelta(minutes=1), end_reason="over")
    async with opened(db_url) as (store, events):
        event = make_event("stream", "started", "a", stream_id="a")
        await store.save_streams([stream("a")], [event])
        await store.save_streams([ended], [])
        (told,) = await events.page(EventFilter(stream_id="a"))
        assert told.id is not None
    async with opened(db_url) as (store, _):
        loaded = await store.load(NOON + timedelta(minutes=2), kept_s=HOUR_S)
        assert list(loaded.streams) == [stream("a"), ended]
        later = await store.load(NOON + timedelta(hours=2), kept_s=HOUR_S)
        assert [each.id for each in later.streams] == ["a"]


async def test_many_who_save_at_once_all_are_served_and_the_last_word_counts(db_url: str) -> None:
    async with opened(db_url) as (store, events):
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                event = make_event("stream", "started", "x", stream_id=f"s{number}")
                tasks.start_soon(store.save_streams, [stream(f"s{number}")], [event])
        for reason in ("one", "two"):
            await store.save_streams([stream("s0", end_reason=reason)], [])
        loaded = await store.load(NOON, kept_s=HOUR_S)
        assert len(loaded.streams) == 200
        assert {s.id: s.end_reason for s in loaded.streams}["s0"] == "two"
        assert (await events.stats()).by_type["stream"] == 200


async def test_what_was_noted_is_there_after_an_orderly_end(db_url: str) -> None:
    blocks = [("a", number, b"[]") for number in range(5)]
    async with opened(db_url, blocks) as (store, _):
        await store.save_streams([stream("a")], [])
        store.note_engine("e1", {"version": "1"})
        store.note_engine("e2", {"version": "2"})
        store.forget_engine("e2")
        store.note_state("breakers", {"x": [1]})
        await store.save_state("demand", 3)
        store.note_streams([stream("a", status="ended", ended_at=NOON)], [])
    async with opened(db_url) as (store, _):
        loaded = await store.load(NOON, kept_s=HOUR_S)
        assert dict(loaded.engines) == {"e1": {"version": "1"}}
        assert dict(loaded.state) == {"breakers": {"x": [1]}, "demand": 3}
        assert loaded.streams[0].status == "ended"
        # Only the newest blocks of a stream are kept.
        assert [number for number, _ in await store.load_samples("a")] == [2, 3, 4]
        await store.purge(["a"])
        assert await store.load_samples("a") == []
        assert list((await store.load(NOON, kept_s=HOUR_S)).streams) == []


async def test_what_is_being_written_as_it_ends_is_there(db_url: str) -> None:
    slow = threading.Event()
    async with (
        open_database(db_url) as database,
        open_events(database, Metrics()) as events,
    ):
        async with open_store(database, events, blocks=list, kept_blocks=2) as store:
            database.submit(lambda _: slow.wait(10))
            store.note_engine("e1", {"version": "1"})
            await anyio.wait_all_tasks_blocked()  # it waits behind the one that is slow
            asyncio.get_running_loop().call_later(0.1, slow.set)
        loaded = await store.load(NOON, kept_s=HOUR_S)
        assert dict(loaded.engines) == {"e1": {"version": "1"}}


async def test_what_is_noted_while_the_same_is_saved_is_the_last_word(db_url: str) -> None:
    slow = threading.Event()
    async with (
        open_database(db_url) as database,
        open_events(database, Metrics()) as events,
    ):
        async with (
            open_store(database, events, blocks=list, kept_blocks=2) as store,
            anyio.create_task_group() as tasks,
        ):
            database.submit(lambda _: slow.wait(10))
            store.note_engine("e1", {"version": "1"})
            tasks.start_soon(store.save_state, "demand", 3)
            await anyio.wait_all_tasks_blocked()  # both wait behind the one that is slow
            store.note_state("demand", 4)
            slow.set()
        assert dict((await store.load(NOON, kept_s=HOUR_S)).state) == {"demand": 4}


async def test_a_database_that_does_not_take_it_is_said_and_what_was_noted_waits(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "there"
    url = f"sqlite:///{folder}/touchline.db"
    folder.write_text("a file where a folder should be")
    async with opened(url) as (store, _):
        with pytest.raises(Blocked) as caught:
            await store.save_streams([stream("a")], [])
        assert (caught.value.code, caught.value.can_retry) == ("database_unavailable", True)
        store.note_state("key", 1)
        await anyio.sleep(0.1)
        folder.unlink()
        with anyio.fail_after(10):
            while True:
                try:
                    await store.save_streams([stream("b")], [])
                except Blocked:
                    await anyio.sleep(0.05)
                else:
                    break
    async with opened(url) as (store, _):
        loaded = await store.load(NOON, kept_s=HOUR_S)
        assert dict(loaded.state) == {"key": 1}
        assert [each.id for each in loaded.streams] == ["b"]


async def test_what_was_saved_after_a_failed_write_of_notes_is_the_last_word(
    tmp_path: Path,
) -> None:
    async with opened(f"sqlite:///{tmp_path}/t.db") as (store, _):
        failing = threading.Event()
        hold = threading.Event()

        def slow(_: object) -> None:
            hold.wait(10)
            raise OSError("the disk")

        store.note_streams([stream("a")], [])
        store.note_state("demand", 1)
        real = store._database.write

        async def write(work: object) -> object:
            if failing.is_set():
                return await real(work)  # type: ignore[arg-type]
            failing.set()
            return await real(slow)

        store._database.write = write  # type: ignore[method-assign,assignment]
        with anyio.fail_after(10):
            while not failing.is_set():
                await anyio.sleep(0.01)
            async with anyio.create_task_group() as tasks:
                ended = stream("a", status="ended", ended_at=NOON)
                tasks.start_soon(store.save_streams, [ended], [])
                tasks.start_soon(store.save_state, "demand", 2)
                await anyio.wait_all_tasks_blocked()
                hold.set()
        await anyio.sleep(0.6)
        await store.flush()
        loaded = await store.load(NOON, kept_s=HOUR_S)
        assert [each.status for each in loaded.streams] == ["ended"]
        assert dict(loaded.state) == {"demand": 2}
