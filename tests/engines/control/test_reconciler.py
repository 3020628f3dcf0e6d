"""The reconciler keeps as many engines as are ordered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from support.fakeruntime import World
from support.half import LABELLED, opened_half, settings_for
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder

pytestmark = pytest.mark.anyio


async def test_the_minimum_is_kept_and_one_that_dies_is_replaced() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        stream = await rig.play(first, "ch-1")
        rig.runtime.kill(first.id)
        await rig.until(lambda: rig.front.fleet.find(first.id) is None)
        ended = rig.front.fleet.stream(stream.id)
        assert (ended.status, ended.end_reason) == ("ended", "engine_died")
        await rig.until(lambda: len(rig.healthy()) == 2)
        await rig.until(lambda: len(rig.world.instances) == 2)
        assert second.id in rig.world.instances
        assert rig.events.of("engine", "failed")


async def test_without_anything_configured_nothing_is_started_until_somebody_asks() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 3}), keeps_minimum=False) as rig:
        await anyio.sleep(0.1)
        assert rig.world.instances == {}
        engine = await rig.front.provisioner.engine(EngineOrder())
        assert engine.health == "healthy"


async def test_scaling_up_and_down_keeps_engines_with_streams() -> None:
    async with opened_half() as rig:
        assert (await rig.front.control.scale(4)).target == 4
        engines = await rig.ready(4)
        await rig.play(engines[0], "ch-1")
        await rig.front.control.scale(0)
        await rig.until(lambda: len(rig.front.fleet.managed()) == 1)
        assert rig.front.fleet.managed()[0].id == engines[0].id
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: not rig.world.instances)


async def test_the_demand_is_remembered_over_a_restart() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        await rig.front.control.scale(3)
        await rig.ready(3)
        disk = rig.disk
    async with opened_half(world=world, disk=disk) as rig:
        rig.runtime.kill(next(iter(rig.world.instances)))
        await rig.until(lambda: len(rig.healthy()) == 3)


async def test_auto_delete_removes_an_engine_after_its_last_stream() -> None:
    # On a machine that stands still for a moment no poll and no check is answered in time.
    patient = settings_for(
        scaling={"auto_delete": True},
        collector={"dead_after": 10_000},
        health={"failure_threshold": 100},
    )
    async with opened_half(patient) as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        await anyio.sleep(0.1)
        assert engine.id in rig.world.instances
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: not rig.world.instances)


@pytest.mark.parametrize("step_s", [-86_400.0, 86_400.0])
async def test_a_step_of_the_wall_clock_replaces_and_ends_nothing(step_s: float) -> None:
    step = {"s": 0.0}

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=step["s"])

    clock = Clock(now=now)
    async with opened_half(settings_for(scaling={"min_replicas": 2}), clock=clock) as rig:
        before = {engine.id for engine in await rig.ready(2)}
        await rig.play(rig.healthy()[0], "ch-1")
        step["s"] = step_s
        rig.half.runtime_sync.list_soon()
        await anyio.sleep(0.3)
        assert {engine.id for engine in rig.healthy()} == before
        assert rig.front.fleet.stream("ch-1").status == "started"
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        over = rig.front.fleet.stream("ch-1")
        assert over.ended_at is not None
        assert over.ended_at >= over.started_at
