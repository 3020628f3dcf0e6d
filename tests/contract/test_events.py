"""The event log as the contract has it, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.core.database import schema
from touchline.core.database.database import Database, open_database
from touchline.core.events.log import open_events
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"


class Rig:
    def __init__(self, system: FakeSystem, database: Database, client: httpx.AsyncClient) -> None:
        self.system, self.database, self.client = system, database, client

    def record(self, kind: str, category: str, **details: Any) -> None:
        self.system.events.record(kind, category, f"{kind} {category}", **details)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def rig(tmp_path: Path, db_url: str) -> AsyncIterator[Rig]:
    system = FakeSystem.make(tmp_path)
    system.settings.auth.api_key = SecretStr(KEY)
    async with (
        open_database(db_url) as database,
        open_events(database, Metrics()) as events,
        client_of(system) as client,
    ):
        system.events = events
        yield Rig(system, database, client)


async def test_events_have_the_contract_s_fields_and_come_newest_first(rig: Rig) -> None:
    rig.record("engine", "created", container_id="c1", image="engine")
    rig.record("stream", "started", container_id="c1", stream_id="ch-42", is_live=True)
    newest, oldest = await rig.get("/events")
    assert newest["timestamp"] > oldest["timestamp"]
    assert newest["timestamp"].endswith("Z")
    assert len(newest["timestamp"]) == len("2026-11-22T19:45:12.792883Z")
    del newest["timestamp"], newest["id"]
    assert newest == {
        "event_type": "stream",
        "category": "started",
        "message": "stream started",
        "details": {"container_id": "c1", "stream_id": "ch-42", "is_live": True},
        "container_id": "c1",
        "stream_id": "ch-42",
    }
    assert (oldest["container_id"], oldest["stream_id"]) == ("c1", None)


async def test_they_are_filtered_and_paged(rig: Rig) -> None:
    for number in range(6):
        rig.record("engine", "created", container_id=f"c{number % 2}")
    rig.record("stream", "ended", container_id="c1", stream_id="s|1?x:y")
    assert len(await rig.get("/events", event_type="engine")) == 6
    assert len(await rig.get("/events", category="ended")) == 1
    assert len(await rig.get("/events", container_id="c1")) == 4
    assert len(await rig.get("/events", stream_id="s|1?x:y")) == 1
    assert await rig.get("/events", event_type="nothing") == []
    whole = await rig.get("/events")
    assert await rig.get("/events", limit=2, offset=3) == whole[3:5]
    assert len(await rig.get("/events", since=whole[0]["timestamp"])) == 1
    assert len(await rig.get("/events", since=whole[0]["timestamp"].rstrip("Z"))) == 1
    assert await rig.get("/events", since="2999-01-01T00:00:00") == []
    assert len(await rig.get("/events", since="0001-01-01T00:00:00+12:00")) == 7


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"offset": -1}, {"since": "yesterday"}],
)
async def test_what_cannot_be_asked_is_refused(rig: Rig, query: dict[str, Any]) -> None:
    assert (await rig.client.get("/events", params=query)).status_code == 422


async def test_statistics_name_every_type_of_the_contract(rig: Rig) -> None:
    empty = await rig.get("/events/stats")
    kinds = dict.fromkeys(("engine", "stream", "vpn", "health", "system"), 0)
    assert empty == {"total": 0, "by_type": kinds, "oldest": None, "newest": None}


async def test_a_clean_up_needs_the_key_and_says_what_it_did(rig: Rig) -> None:
    old = {"type": "system", "category": "c", "message": "m", "details": "{}", "ids": "{}"}
    row = {**old, "at": "2020-01-01T00:00:00.000000+00:00"}
    await rig.database.write(lambda c: c.execute(schema.events.insert(), row).rowcount)
    assert (await rig.get("/events/stats"))["oldest"] == "2020-01-01T00:00:00.000000Z"
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 403)):
        answer = await rig.client.post("/events/cleanup", headers=headers)
        assert answer.status_code == status
    headers = {"X-API-KEY": KEY}
    answer = await rig.client.post("/events/cleanup?max_age_days=0", headers=headers)
    assert answer.status_code == 422
    answer = await rig.client.post("/events/cleanup", headers=headers)
    assert answer.json() == {"deleted": 1, "message": "Cleaned up 1 events older than 30 days"}
    assert (await rig.get("/events/stats"))["total"] == 0
