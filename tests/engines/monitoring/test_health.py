"""Engines that stop answering health checks are replaced or drained."""

from __future__ import annotations

import pytest

from support.half import opened_half, settings_for

pytestmark = pytest.mark.anyio


async def test_a_hung_engine_is_replaced_and_its_replacement_is_ready_first() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1, "max_replicas": 2})) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: engine.id not in rig.world.instances)
        assert len(rig.healthy()) == 1
        assert rig.world.most_alive == 2


async def test_at_the_maximum_a_hung_engine_makes_room_first() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1, "max_replicas": 1})) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: engine.id not in rig.world.instances)
        await rig.ready(1)
        assert rig.world.most_alive == 1


async def test_a_hung_engine_with_a_stream_is_drained_and_goes_after_its_grace() -> None:
    settings = settings_for(scaling={"min_replicas": 1}, health={"unhealthy_grace_period_s": 0.5})
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        await rig.play(engine, "ch-1")
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining == "unhealthy")
        assert rig.front.fleet.find(engine.id) is not None
        await rig.until(lambda: engine.id not in rig.world.instances)
        assert rig.front.fleet.stream("ch-1").status == "ended"


async def test_one_that_answers_again_stays() -> None:
    settings = settings_for(scaling={"min_replicas": 1, "max_replicas": 1})
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        await rig.play(engine, "ch-1")
        rig.runtime.freeze(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining == "unhealthy")
        rig.runtime.thaw(engine.id)
        await rig.until(lambda: rig.front.fleet.engine(engine.id).draining is None)
        assert rig.front.fleet.stream("ch-1").status == "started"
