"""The same database and event log on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from support.postgres import Cluster, cluster
from touchline.core import schema
from touchline.core.db import Connection, database_url, open_database
from touchline.core.errors import Failed
from touchline.core.events import EventFilter, open_events
from touchline.core.metrics import Metrics

pytestmark = pytest.mark.anyio

COUNT = "SELECT count(*) FROM events"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


def put(message: str) -> Any:
    row = {"at": "2026", "type": "t", "category": "c", "details": "{}", "ids": "{}"}
    return lambda c: c.execute(schema.events.insert(), {**row, "message": message}).rowcount


def count(connection: Connection) -> Any:
    return connection.exec_driver_sql(COUNT).scalar_one()


async def test_migrations_make_the_tables_that_the_program_uses(postgres: Cluster) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))

    async with open_database(database_url(postgres.database())) as db:
        assert await db.read(differences) == []


async def test_a_failing_job_loses_its_own_changes_and_nobody_elses(postgres: Cluster) -> None:
    async with open_database(database_url(postgres.database())) as db:
        hold = threading.Event()
        first = db.submit(lambda _: hold.wait(10))  # the next ones share a commit behind it

        def half(connection: Connection) -> None:
            put("half")(connection)
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

        good = [db.submit(put("a")), db.submit(put("b"))]
        bad = db.submit(half)
        hold.set()
        with pytest.raises(Failed, match="nowhere"):
            await anyio.to_thread.run_sync(bad.result)
        for future in (first, *good):
            await anyio.to_thread.run_sync(future.result)
        assert await db.read(count) == 2


async def test_what_was_written_survives_and_can_be_asked_for(postgres: Cluster) -> None:
    url = database_url(postgres.database())
    async with open_database(url) as db, open_events(db, Metrics()) as events:
        events.record("stream", "started", "Started", container_id="c1", stream_id="ch-42")
        events.record("engine", "created", "Created", container_id="c1")
        events.record("engine", "created", "Created", container_id="c2")
    async with open_database(url) as db, open_events(db, Metrics()) as events:
        found = await events.page(EventFilter(container_id="c1"))
        assert [event.type for event in found] == ["engine", "stream"]
        assert [event.id for event in found] == [2, 1]
        assert [e.type for e in await events.page(EventFilter(stream_id="ch-42"))] == ["stream"]
        assert (await events.stats()).by_type == {"engine": 2, "stream": 1}


async def test_a_server_that_was_away_is_used_again_when_it_is_back(postgres: Cluster) -> None:
    url = database_url(postgres.database())
    async with open_database(url) as db:
        await db.write(put("before"))
        await anyio.to_thread.run_sync(postgres.stop)
        with pytest.raises(Failed) as caught:
            await db.write(put("lost"))
        assert caught.value.code == "database_failed"
        await anyio.to_thread.run_sync(postgres.resume)
        await db.write(put("after"))
        assert await db.read(count) == 2
