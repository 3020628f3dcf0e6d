from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.core.database.database import open_database
from touchline.core.events.event import Event, EventFilter, make_event
from touchline.core.events.log import EventLog, open_events
from touchline.core.events.rows import row_of
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio

DEADLINE_S = 30.0


async def test_details_that_json_cannot_hold_do_not_stop_the_log(db_url: str) -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        events.record("system", "warning", "a circle", loop=loop)
        events.record("system", "warning", "a path", path=Path("/somewhere"))
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        kept = await events.recent()
    assert dict(kept[0].details) == {"path": "/somewhere"}
    assert set(kept[1].details) == {"loop"}


async def test_a_time_without_a_zone_is_utc_and_offsets_are_honoured(db_url: str) -> None:
    async with open_database(db_url) as db:
        async with open_events(db, Metrics()) as events:
            events.record("system", "scaling", "now")
        async with open_events(db, Metrics()) as events:
            now = datetime.now(UTC)
            ahead = timezone(timedelta(hours=5))
            for since, found in (
                (now - timedelta(minutes=1), 1),
                (now + timedelta(minutes=1), 0),
                ((now - timedelta(minutes=1)).astimezone(ahead), 1),
                ((now + timedelta(minutes=1)).astimezone(ahead), 0),
                ((now - timedelta(minutes=1)).replace(tzinfo=None), 1),
                ((now + timedelta(minutes=1)).replace(tzinfo=None), 0),
            ):
                assert len(await events.page(EventFilter(since=since))) == found, since


@pytest.mark.parametrize(
    "value", ["a\0b", "\ud800 alone", "\x1b[2J\r\n", "x" * 300, "Tor für Grün 🎉", ""]
)
async def test_no_text_holds_up_the_log(db_url: str, value: str) -> None:
    async with open_database(db_url) as db, open_events(db, Metrics()) as events:
        # A log of an earlier version may hold any word; what is recorded now is one of a list.
        old = make_event(value, value, value, stream_id=value, text=value)  # type: ignore[arg-type]
        events.take(old)
        events.record("engine", "created", "after it")
        newest, odd = await written(events, 2)
        assert newest.message == "after it"
        assert [e.id for e in await events.page(EventFilter(stream_id=value))] == [odd.id]
        assert [e.id for e in await events.page(EventFilter(type=value))] == [odd.id]
        shown = {
            "a\0b": "a\\x00b",
            "\ud800 alone": "\\ud800 alone",
            "\x1b[2J\r\n": "\\x1b[2J\\r\\n",
        }
        assert odd.message == shown.get(value, value)


async def written(events: EventLog, number: int) -> list[Event]:
    """Wait until so many events are on the disk, which gives them their ids."""
    with anyio.fail_after(DEADLINE_S):
        while True:
            found = await events.page()
            if len(found) == number and all(event.id is not None for event in found):
                return found


def test_a_row_has_columns_for_engine_and_stream() -> None:
    row = row_of(make_event("stream", "started", "m", container_id="c1", stream_id="s", size=3))
    assert (row["container_id"], row["stream_id"]) == ("c1", "s")
    assert row["details"] == '{"container_id": "c1", "stream_id": "s", "size": 3}'
    assert row["ids"] == '{"container_id": "c1", "stream_id": "s"}'
