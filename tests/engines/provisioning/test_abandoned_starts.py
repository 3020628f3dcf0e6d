"""An engine whose caller went away is for the next who orders the same."""

from __future__ import annotations

import anyio
import pytest

from support.half import LABELLED, opened_half, settings_for
from touchline.engines.model.orders import EngineOrder

pytestmark = pytest.mark.anyio


async def test_an_equal_request_joins_the_start_that_its_disconnected_caller_left() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.6
        for order in (
            EngineOrder(),
            EngineOrder(labels={"a": "b"}),
            EngineOrder(idempotency_key="k"),
        ):
            before = rig.world.starts
            for _ in range(2):  # it gives up twice
                with anyio.move_on_after(0.1):
                    await rig.front.provisioner.engine(order)
            engine = await rig.front.provisioner.engine(order)
            assert rig.world.starts == before + 1
            assert engine.health == "healthy"
            rig.front.fleet.leases.release(engine.id)
            await rig.play(engine, f"s-{before}")


async def test_a_start_that_was_left_is_for_the_next_who_asks_for_the_same() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.2
        order = EngineOrder(labels={"a": "b"})
        with anyio.move_on_after(0.05):
            await rig.front.provisioner.engine(order)
        await rig.ready(1)
        assert (await rig.front.provisioner.engine(order)).labels["a"] == "b"
        assert rig.world.starts == 1
        await rig.front.provisioner.engine(order)  # that one has it
        assert rig.world.starts == 2


async def test_an_engine_whose_caller_goes_as_it_comes_is_for_the_next_who_asks_for_the_same() -> (
    None
):
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        for order in (EngineOrder(), LABELLED, EngineOrder(idempotency_key="k")):
            starts = rig.world.starts
            engine = await rig.front.provisioner.engine(order)
            rig.front.provisioner.give_back(order, engine)
            assert (await rig.front.provisioner.engine(order)).id == engine.id
            assert rig.world.starts == starts + 1
            await rig.play(engine, f"s-{starts}")


async def test_two_callers_who_both_wait_get_an_engine_each() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 10})) as rig:
        rig.runtime.start_s = 0.1
        got: list[str] = []

        async def ask() -> None:
            got.append((await rig.front.provisioner.engine(EngineOrder())).id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
        assert len(set(got)) == 2


async def test_what_clients_left_under_way_ends_with_the_server() -> None:
    async with opened_half() as rig:
        rig.runtime.start_s = 5.0
        with anyio.move_on_after(0.05):
            await rig.front.provisioner.engine(EngineOrder())
        assert len(rig.front.fleet.flights) == 1
    assert not rig.front.fleet.flights
    assert rig.world.instances == {}
