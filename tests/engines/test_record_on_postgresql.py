"""PostgreSQL that is late, gone, read-only, back, or replaced: no playing engine is lost by it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import pytest

from support.fakeengines import FakeEngines
from support.fakeruntime import World
from support.half import HalfRig, Record, opened_half, settings_for
from support.postgres import Cluster
from touchline.core.database.database import MARK, open_database
from touchline.core.errors import Blocked, Failed
from touchline.core.events.log import open_events
from touchline.core.metrics import Metrics
from touchline.engines.fleet.store import open_store
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

EAGER = {
    "min_replicas": 0,
    "min_free_replicas": 0,
    "auto_delete": True,
    "grace_period_s": 0.0,
    "lease_s": 300.0,  # what is handed out here is used, however busy the machine is
}
DEADLINE_S = 30.0


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touchline.core.database.database.LOOK_EVERY_S", 0.2)
    monkeypatch.setattr("touchline.engines.fleet.store.REPLACED_EVERY_S", 0.1)
    monkeypatch.setattr("touchline.engines.fleet.record.RETRY_S", 0.1)


@dataclass
class Scene:
    """What outlives a server, and a database whose owner is no superuser."""

    cluster: Cluster
    url: str
    name: str
    world: World
    api: FakeEngines

    async def do(self, act: Callable[[Scene], None]) -> None:
        await anyio.to_thread.run_sync(act, self)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the database says so; asking it holds nobody up."""
        with anyio.fail_after(DEADLINE_S):
            while not await anyio.to_thread.run_sync(condition):
                await anyio.sleep(0.05)

    @asynccontextmanager
    async def server(self) -> AsyncIterator[HalfRig]:
        """One that starts now, and ends as if it had been killed."""
        async with (
            open_database(self.url) as database,
            open_events(database, Metrics()) as log,
            open_store(database, log, blocks=list, kept_blocks=2) as store,
        ):
            clock = Clock()
            load = partial(store.load, clock.now(), kept_s=3600.0)
            try:
                left = await load()
            except Failed:
                left = None
            async with opened_half(
                settings_for(
                    scaling=EAGER,
                    # Seconds, so that a busy machine makes no answer a late one.
                    health={"timeout_s": 1.0},
                    collector={"timeout_s": 20.0, "dead_after": 1000},
                ),
                world=self.world,
                engines_api=self.api,
                clock=clock,
                record=Record(store, load, left),
            ) as rig:
                yield rig

    def alive(self) -> set[str]:
        return {each.id for each in self.world.alive()}

    def streams(self) -> set[str]:
        """Those that the database calls started."""
        with self.cluster.connect(self.name) as connection:
            rows = connection.execute("SELECT id FROM streams WHERE status = 'started'").fetchall()
        return {str(row[0]) for row in rows}


class Fault(NamedTuple):
    """What is done to the database, and how it is undone."""

    happen: Callable[[Scene], None]
    mend: Callable[[Scene], None]


def closed_to_its_owner(scene: Scene) -> None:
    scene.cluster.order(f'ALTER ROLE "{scene.name}" NOLOGIN')
    scene.cluster.disconnect(scene.name)


def named_otherwise(scene: Scene) -> None:
    scene.cluster.order(f'ALTER DATABASE "{scene.name}" ALLOW_CONNECTIONS false')
    scene.cluster.disconnect(scene.name)
    scene.cluster.order(f'ALTER DATABASE "{scene.name}" RENAME TO "{scene.name}x"')


def named_again(scene: Scene) -> None:
    scene.cluster.order(
        f'ALTER DATABASE "{scene.name}x" RENAME TO "{scene.name}"',
        f'ALTER DATABASE "{scene.name}" ALLOW_CONNECTIONS true',
    )


def rights(word: str) -> Callable[[Scene], None]:
    def order(scene: Scene) -> None:
        scene.cluster.order(
            f'{word} "{scene.name}"'.replace("ALL", "ALL ON ALL TABLES IN SCHEMA public"),
            database=scene.name,
        )

    return order


def read_only(state: str) -> Callable[[Scene], None]:
    def order(scene: Scene) -> None:
        setting = f"SET default_transaction_read_only = {state}"
        scene.cluster.order(f'ALTER DATABASE "{scene.name}" {setting}')
        if state == "on":
            scene.cluster.disconnect(scene.name)

    return order


UNREADABLE = {
    "away": Fault(lambda scene: scene.cluster.stop(), lambda scene: scene.cluster.resume()),
    "without rights": Fault(rights("REVOKE ALL FROM"), rights("GRANT ALL TO")),
    "closed to its owner": Fault(
        closed_to_its_owner,
        lambda scene: scene.cluster.order(f'ALTER ROLE "{scene.name}" LOGIN'),
    ),
    "not there": Fault(named_otherwise, named_again),
}
UNWRITABLE = {**UNREADABLE, "read-only": Fault(read_only("on"), read_only("off"))}


@pytest.fixture
def scene(postgres: Cluster) -> Scene:
    url, name = postgres.owned_database()
    world = World()
    return Scene(postgres, url, name, world, FakeEngines(world))


@asynccontextmanager
async def broken(scene: Scene, fault: Fault) -> AsyncIterator[Callable[[], Any]]:
    """The fault has happened; it is mended when that is asked for, at the latest at the end."""
    mended = False

    async def mend() -> None:
        nonlocal mended
        mended = True
        await scene.do(fault.mend)

    await scene.do(fault.happen)
    try:
        yield mend
    finally:
        if not mended:
            await scene.do(fault.mend)


async def refused(report: Any) -> None:
    with pytest.raises(Blocked) as caught:
        await report
    assert caught.value.code == "database_unavailable"


async def accepted(make: Callable[[], Any]) -> Any:
    """What it gives once the database takes it again."""
    with anyio.fail_after(DEADLINE_S):
        while True:
            try:
                return await make()
            except Blocked:
                await anyio.sleep(0.05)


@pytest.mark.parametrize("fault", UNREADABLE)
async def test_until_the_record_has_been_read_nothing_that_plays_is_removed(
    scene: Scene, fault: str
) -> None:
    async with scene.server() as rig:
        engines = [await rig.front.provisioner.engine(EngineOrder()) for _ in range(2)]
        for number, engine in enumerate(engines):
            await rig.play(engine, f"ch-{number}")
    playing = {engine.id for engine in engines}
    async with broken(scene, UNREADABLE[fault]) as mend, scene.server() as rig:
        reasons = rig.front.readiness.current()["reasons"]
        assert "database_unavailable" in [each["code"] for each in reasons]
        # An engine for a client shows that the fleet is looked after meanwhile.
        new = await rig.front.provisioner.engine(EngineOrder())
        assert new.id not in playing
        await refused(rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over"))
        assert scene.alive() == playing | {new.id}
        await mend()
        await rig.until(lambda: rig.front.fleet.record_is_read)
        assert {each.id for each in rig.front.fleet.started()} == {"ch-0", "ch-1"}
        ended = await rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over")
        assert ended.updated
        await rig.until(lambda: scene.alive() == {engines[1].id, new.id}, DEADLINE_S)
    assert scene.streams() == {"ch-1"}


@pytest.mark.parametrize("fault", UNWRITABLE)
async def test_a_running_server_goes_on_without_it_and_then_writes_again(
    scene: Scene, fault: str
) -> None:
    async with scene.server() as rig:
        first = await rig.front.provisioner.engine(EngineOrder())
        second = await rig.front.provisioner.engine(EngineOrder())
        await rig.play(first, "ch-0")
        async with broken(scene, UNWRITABLE[fault]) as mend:
            await refused(rig.play(second, "ch-1"))
            third = await rig.front.provisioner.engine(EngineOrder())
            await mend()
        await accepted(lambda: rig.play(third, "ch-2"))
        assert rig.half.parts.base.supervisor.failing == {}
    assert scene.streams() == {"ch-0", "ch-2"}
    async with scene.server() as rig:
        assert {each.id for each in rig.front.fleet.started()} == {"ch-0", "ch-2"}
        await rig.until(lambda: scene.alive() == {first.id, third.id}, DEADLINE_S)


async def test_a_standby_is_read_and_written_once_it_is_promoted(scene: Scene) -> None:
    async with scene.server() as rig:
        first = await rig.front.provisioner.engine(EngineOrder())
        await rig.play(first, "ch-0")
    with scene.cluster.standby() as standby:
        other = replace(scene, cluster=standby, url=standby.url_of(scene.name))
        async with other.server() as rig:
            assert [each.id for each in rig.front.fleet.started()] == ["ch-0"]
            second = await rig.front.provisioner.engine(EngineOrder())
            await refused(rig.play(second, "ch-1"))
            assert scene.alive() == {first.id, second.id}
            await anyio.to_thread.run_sync(standby.promote)
            await accepted(lambda: rig.play(second, "ch-1"))
        assert other.streams() == {"ch-0", "ch-1"}


def dropped(scene: Scene) -> None:
    scene.cluster.order(
        f'DROP DATABASE "{scene.name}" WITH (FORCE)',
        f'CREATE DATABASE "{scene.name}" OWNER "{scene.name}"',
    )


def restored(scene: Scene) -> None:
    scene.cluster.restore(scene.name)


def dropped_and_restored(scene: Scene) -> None:
    dropped(scene)
    restored(scene)


def emptied(scene: Scene) -> None:
    tables = "streams, engines, state, sample_blocks, events"
    scene.cluster.order(f"TRUNCATE {tables}", database=scene.name)


@pytest.mark.parametrize("swap", [dropped, restored, dropped_and_restored, emptied])
@pytest.mark.parametrize("quiet", [True, False], ids=["nothing happens", "a stream ends"])
async def test_a_database_that_is_another_one_gets_all_that_is_known(
    scene: Scene,
    swap: Callable[[Scene], None],
    quiet: bool,  # noqa: FBT001
) -> None:
    async with scene.server() as rig:
        engines = [await rig.front.provisioner.engine(EngineOrder()) for _ in range(3)]
        for number, engine in enumerate(engines[:2]):
            await rig.play(engine, f"ch-{number}")
        await scene.until(lambda: mark_of(scene) is not None)
        await scene.do(lambda there: there.cluster.dump(there.name))
        marked = mark_of(scene)
        await rig.play(engines[2], "ch-2")
        await rig.front.control.scale(3)
        await scene.until(lambda: mark_of(scene) != marked)
        await scene.do(swap)
        if not quiet:
            ended = await accepted(
                lambda: rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over")
            )
            assert ended.updated
        playing = {"ch-1", "ch-2"} if not quiet else {"ch-0", "ch-1", "ch-2"}
        await scene.until(lambda: known(scene) == playing)
    async with scene.server() as rig:
        assert {each.id for each in rig.front.fleet.started()} == playing
        assert rig.half.parts.control.reconciler.demand == 3
        assert scene.alive() >= {engines[1].id, engines[2].id}


def mark_of(scene: Scene) -> object:
    with scene.cluster.connect(scene.name) as connection:
        found = connection.execute("SELECT value FROM state WHERE key = %s", (MARK,)).fetchone()
    return found and found[0]


def known(scene: Scene) -> set[str]:
    """What is written of streams; nothing where there is no such table."""
    try:
        return scene.streams()
    except Exception:  # noqa: BLE001  (the table is not there yet)
        return set()
