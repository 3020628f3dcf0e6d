"""The circuit breaker of the whole fleet opens, is tried, and closes again."""

from __future__ import annotations

import pytest

from support.half import LABELLED, HalfRig, opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.engines.control.selection import SelectOrder
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import StartFailed
from touchline.engines.provisioning.breaker import Breaker

pytestmark = pytest.mark.anyio


def general(rig: HalfRig) -> Breaker:
    return rig.half.parts.provisioning.breakers.general


def now_s(rig: HalfRig) -> float:
    return rig.half.parts.resources.clock.now_s()


HALF_OPEN_SOON = {"failure_threshold": 1, "recovery_timeout_s": 0.5}


async def test_several_failed_starts_open_the_breaker_and_a_reset_closes_it() -> None:
    settings = settings_for(breaker={"failure_threshold": 2, "recovery_timeout_s": 60.0})
    async with opened_half(settings) as rig:
        for _ in range(2):
            rig.runtime.fail("start", StartFailed("no"))
            with pytest.raises(StartFailed):
                await rig.front.provisioner.engine(EngineOrder())
        with pytest.raises(Blocked, match="circuit breaker") as caught:
            await rig.front.provisioner.engine(EngineOrder())
        assert (caught.value.code, caught.value.should_wait) == ("circuit_breaker", True)
        assert rig.events.of("health", "failed")
        rig.front.retries.reset(None)
        assert (await rig.front.provisioner.engine(EngineOrder())).health == "healthy"


@pytest.mark.parametrize("order", [EngineOrder(), LABELLED], ids=["plain", "special"])
async def test_clients_are_served_again_after_the_breaker_where_nothing_else_wants_an_engine(
    order: EngineOrder,
) -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        breaker = general(rig)
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        await rig.until(lambda: breaker.state(now_s(rig)) == "half_open")
        with pytest.raises(Blocked, match="circuit breaker") as caught:
            await rig.front.provisioner.engine(order)
        assert caught.value.can_retry
        if order.is_plain:
            assert (await rig.front.provisioner.engine(order)).health == "healthy"
            assert rig.world.starts == 1
        await rig.until(lambda: breaker.state(now_s(rig)) == "closed")
        assert (await rig.front.provisioner.engine(order)).health == "healthy"


async def test_whoever_waits_for_an_engine_gets_one_after_the_breaker() -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        assert (await rig.front.selection.select(SelectOrder(wait_s=10.0))).engine.id
        assert rig.world.starts == 1


async def test_a_breaker_stays_open_over_a_restart() -> None:
    settings = settings_for(breaker={"failure_threshold": 1, "recovery_timeout_s": 60.0})
    async with opened_half(settings) as rig:
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        disk = rig.disk
    async with opened_half(settings, disk=disk) as rig:
        with pytest.raises(Blocked):
            await rig.front.provisioner.engine(EngineOrder())
