from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.core.database import schema
from touchline.core.database.database import open_database
from touchline.core.events import log as module
from touchline.core.events.event import EventFilter, make_event
from touchline.core.events.log import EventLog, open_events
from touchline.core.events.rows import select_events
from touchline.core.metrics import Metrics
from touchline.core.wallclock import Trust, trust_of

pytestmark = pytest.mark.anyio


async def until(met: Any, what: str) -> None:
    with anyio.fail_after(60):
        while not await met():
            await anyio.sleep(0.005)
    assert await met(), what


async def test_events_come_back_newest_first_and_survive_a_restart(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        events.record("recording", "started", "Started", match_id="final", cameras=[0, 1])
        events.record("system", "stopped", "Stopped", match_id="final")
        fresh = await events.recent()
    assert [e.type for e in fresh] == ["system", "recording"]
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        kept = await events.recent()
    assert kept == fresh
    assert kept[1].details == {"match_id": "final", "cameras": [0, 1]}
    assert kept[1].ids == {"match_id": "final"}
    assert kept[1].at.tzinfo is UTC


async def test_they_can_be_asked_by_category_type_and_time(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        events.record("vpn", "started", "first")
        events.record("engine", "ended", "second")
        events.record("engine", "started", "third")
        assert [e.message for e in await events.recent(category="started")] == ["third", "first"]
        assert [e.message for e in await events.recent(type="engine")] == ["third", "second"]
        assert [e.message for e in await events.recent(1)] == ["third"]
        later = datetime.now(UTC) + timedelta(seconds=1)
        assert await events.recent(since=later) == []


async def test_only_the_newest_rows_are_kept(db_url: str) -> None:
    async with open_database(db_url) as db:
        events = EventLog(db, Metrics(), kept_rows=100)
        for number in range(1_000):
            events.record("system", "warning", str(number))
        await anyio.to_thread.run_sync(events.close)
        again = EventLog(db, Metrics(), kept_rows=100)
        again.record("system", "warning", "last")
        await anyio.to_thread.run_sync(again.close)
        count = await db.read(
            lambda c: c.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
        )
    assert count == 100


async def test_a_broken_disk_keeps_the_newest_in_memory_and_writes_them_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_PAUSE_S", 0.01)
    blocker = tmp_path / "state"
    blocker.write_text("a file in the way")
    async with (
        open_database(f"sqlite:///{blocker}/t.db") as db,
        open_events(db, Metrics()) as events,
    ):
        events.record("recording", "warning", "during the fault")
        assert [e.message for e in await events.recent()] == ["during the fault"]
        blocker.unlink()

        async def written() -> bool:
            sql = "SELECT count(*) FROM events"
            return bool(await db.read(lambda c: c.exec_driver_sql(sql).scalar_one()) == 1)

        await until(written, "the event reaches the disk")
        assert [e.message for e in await events.recent()] == ["during the fault"]


async def test_memory_is_bounded_and_what_gives_way_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_LIMIT", 10)
    (tmp_path / "state").write_text("a file in the way")
    metrics = Metrics()
    async with (
        open_database(f"sqlite:///{tmp_path}/state/t.db") as db,
        open_events(db, metrics) as events,
    ):
        for number in range(25):
            events.record("system", "warning", str(number))
        assert "touchline_events_dropped_total 15.0" in metrics.render().decode()
        assert (await events.recent(1))[0].message == "24"


async def test_recording_does_not_wait_for_a_stalled_disk(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        hold = threading.Event()
        stalled = db.submit(lambda _: hold.wait(60))
        for number in range(1_000):
            events.record("system", "warning", str(number))
        hold.set()  # nothing was written until here
        assert await asyncio.wrap_future(stalled) is True


async def test_they_are_paged_and_found_by_engine_and_stream(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        for number in range(10):
            events.record("stream", "started", str(number), container_id=f"c{number % 2}")
        events.record("stream", "ended", "last", container_id="c1", stream_id="s")
        whole = await events.page(EventFilter(), 4, 2)
        assert [e.message for e in whole] == ["8", "7", "6", "5"]
        ofone = await events.page(EventFilter(container_id="c0"), 2, 1)
        assert [e.message for e in ofone] == ["6", "4"]
        assert [e.message for e in await events.page(EventFilter(stream_id="s"))] == ["last"]


OLD = {"type": "system", "category": "c", "message": "m", "details": "{}", "ids": "{}"}
OLD_ROWS = [{**OLD, "at": f"2020-01-{day:02}T00:00:00.000000+00:00"} for day in (1, 2)]


async def test_old_events_are_cleaned_up_and_counted(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        events.record("engine", "created", "m")
        await until(lambda: _total(events, 1), "written")
        await db.write(lambda c: c.execute(schema.events.insert(), OLD_ROWS).rowcount)
        stats = await events.stats()
        assert (stats.total, stats.by_type) == (3, {"system": 2, "engine": 1})
        assert stats.oldest == datetime(2020, 1, 1, tzinfo=UTC)
        assert await events.cleanup(30) == 2
        assert (await events.stats()).total == 1


async def test_events_of_a_month_ago_go_by_themselves(db_url: str) -> None:
    async with open_database(db_url) as db:
        await db.write(lambda c: c.execute(schema.events.insert(), OLD_ROWS).rowcount)
        async with open_events(db, Metrics()) as events:
            events.record("engine", "created", "m")
            await until(lambda: _total(events, 1), "only the new one is left")


async def _total(events: EventLog, total: int) -> bool:
    return (await events.stats()).total == total


async def test_what_was_just_recorded_has_its_number_already(db_url: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        for number in range(20):
            events.record("stream", "started", str(number))
            newest = (await events.page(limit=1))[0]
            assert (newest.message, newest.id) == (str(number), number + 1)
            assert (await events.stats()).total == number + 1


async def test_a_slow_disk_is_not_waited_for_and_what_it_lacks_is_paged_with_the_rest(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_TIMEOUT_S", 60)
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        events.record("system", "warning", "written")
        assert (await events.page())[0].id == 1
        monkeypatch.setattr(module, "SETTLE_TIMEOUT_S", 0.05)
        hold = threading.Event()
        db.submit(lambda _: hold.wait(60))
        try:
            for number in range(3):
                events.record("system", "warning", str(number))
            page = await events.page(limit=2, offset=2)
        finally:
            hold.set()
        assert [(e.message, e.id) for e in page] == [("0", None), ("written", 1)]


def clock_ahead(years: float) -> Callable[[int | None], Trust]:
    """A clock that no service keeps, and that is ahead."""

    def trust(newest_unix_ns: int | None) -> Trust:
        now_ns = time.time_ns() + round(years * 365.25 * 86_400e9)
        return trust_of(now_ns, synchronised=False, newest_unix_ns=newest_unix_ns)

    return trust


def row_of_days_ago(days: int) -> dict[str, str]:
    at = datetime.now(UTC) - timedelta(days=days)
    return {**OLD, "at": at.isoformat(timespec="microseconds")}


@pytest.mark.parametrize(("years", "left"), [(0, 1), (2, 3)])
async def test_a_clock_some_years_ahead_deletes_no_event(
    db_url: str, years: float, left: int
) -> None:
    """One that is right deletes what is older than a month."""
    rows = [row_of_days_ago(days) for days in (35, 33, 1)]
    async with open_database(db_url) as db:
        await db.write(lambda c: c.execute(schema.events.insert(), rows).rowcount)
        for _ in range(2):  # what is noted by such a clock does not make it believable
            events = EventLog(db, Metrics(), trust_now=clock_ahead(years))
            event = make_event("system", "warning", "by this clock")
            events.take(replace(event, at=event.at + timedelta(days=365.25 * years)))
            await until(events.recent, "it is written")
            if years:
                assert await events.cleanup(1) == 0
            await anyio.to_thread.run_sync(events.close)
        kept = await db.read(lambda c: select_events(c, EventFilter(), 100))
    assert sum(each.message == "m" for each in kept) == left


async def test_nothing_is_deleted_for_its_age_while_the_clock_is_not_believable(
    db_url: str,
) -> None:
    async with open_database(db_url) as db:
        events = EventLog(db, Metrics(), trust_now=lambda _: "doubtful")
        events.record("system", "warning", "old by a clock that is 50 years ahead")
        await until(events.recent, "it is written")
        assert await events.cleanup(0) == 0
        assert [each.type for each in await events.recent()] == ["system"]
        await anyio.to_thread.run_sync(events.close)
