from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from support.half import HalfRig, opened_half
from touchline.engines.model.model import Engine
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed
from touchline.engines.provisioning.remover import Remover

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rig() -> AsyncIterator[HalfRig]:
    async with opened_half() as rig:
        yield rig


def remover_of(rig: HalfRig) -> Remover:
    return rig.half.parts.provisioning.remover


async def playing(rig: HalfRig) -> Engine:
    engine = await rig.front.provisioner.engine(EngineOrder())
    await rig.play(engine, "ch-1")
    return engine


async def test_an_engine_goes_with_its_streams_and_ports_and_that_is_told_once(
    rig: HalfRig,
) -> None:
    engine = await playing(rig)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(
                lambda: remover_of(rig).remove(engine.id, why="a test asks", reason="idle")
            )
    assert engine.id not in rig.world.instances
    assert rig.front.fleet.stream("ch-1").end_reason == "idle"
    assert rig.half.parts.provisioning.ports.list_host_ports() == set()
    (told,) = rig.events.of("engine", "deleted")
    assert (told.details["reason"], told.details["streams"]) == ("idle", 1)


async def test_what_is_not_there_is_removed_without_a_word(rig: HalfRig) -> None:
    await remover_of(rig).remove("f" * 64, why="a test asks", reason="idle")
    assert rig.events.of("engine", "deleted") == []


async def test_while_the_runtime_is_known_to_be_away_nothing_changes(rig: HalfRig) -> None:
    engine = await playing(rig)
    rig.front.fleet.freshness.lost(0.0, "as ordered")
    with pytest.raises(RuntimeUnavailable, match="Nothing was removed"):
        await remover_of(rig).remove(engine.id, why="a test asks", reason="idle")
    assert rig.front.fleet.stream("ch-1").status == "started"
    assert rig.front.fleet.find(engine.id) is not None


@pytest.mark.parametrize("error", [StartFailed("no"), RuntimeUnavailable("away")])
async def test_an_engine_that_could_not_be_removed_is_looked_for_again(
    rig: HalfRig, error: Exception
) -> None:
    engine = await playing(rig)
    rig.runtime.fail("stop", error)
    with pytest.raises(type(error)):
        await remover_of(rig).remove(engine.id, why="a test asks", reason="idle")
    assert not rig.front.fleet.going
    await rig.until(lambda: rig.front.fleet.find(engine.id) is not None)
    await remover_of(rig).remove(engine.id, why="a test asks", reason="idle")
    assert engine.id not in rig.world.instances


async def test_an_engine_that_drains_says_why_and_may_work_again(rig: HalfRig) -> None:
    engine = await playing(rig)
    remover_of(rig).drain(engine, reason="outdated", why="it is outdated")
    assert rig.front.fleet.engine(engine.id).draining == "outdated"
    remover_of(rig).drain(engine, reason=None, why="it is wanted again")
    assert rig.front.fleet.engine(engine.id).draining is None
    assert [rig.events.of("engine", each)[0].message for each in ("draining", "recovered")] == [
        "it is outdated",
        "it is wanted again",
    ]
