"""The circuit breaker of the whole fleet opens, is tried, and closes again."""

from __future__ import annotations

import pytest

from support.half import LABELLED, HalfRig, opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.engines.control.actions import Plan, Start
from touchline.engines.control.selection import SelectOrder
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import NameInUse, PortInUse, RuntimeUnavailable, StartFailed
from touchline.engines.provisioning.breaker import Breaker
from touchline.engines.provisioning.launcher import TRIES
from touchline.engines.provisioning.names import MOST_NAMES

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


WITHOUT_AN_OUTCOME = [
    (RuntimeUnavailable("as ordered"), 1),
    (PortInUse("as ordered", port=19000), TRIES),
    (NameInUse("as ordered"), MOST_NAMES),
    (Blocked("as ordered", code="max_capacity"), 1),
]
"""Errors, and how often one start meets each before it gives up."""


@pytest.mark.parametrize(
    ("error", "tries"),
    WITHOUT_AN_OUTCOME,
    ids=[type(each).__name__ for each, _ in WITHOUT_AN_OUTCOME],
)
async def test_a_trial_that_says_nothing_of_starts_does_not_keep_the_breaker_half_open(
    error: Exception, tries: int
) -> None:
    settings = settings_for(scaling={"min_replicas": 1}, breaker=HALF_OPEN_SOON)
    async with opened_half(settings) as rig:
        (engine,) = await rig.ready(1)
        rig.runtime.fail("start", StartFailed("no"))
        for _ in range(tries):
            rig.runtime.fail("start", error)
        rig.runtime.kill(engine.id, code=1)
        await rig.until(lambda: bool(rig.events.of("health", "failed")))
        await rig.ready(1)
        assert general(rig).state(now_s(rig)) == "closed"


async def test_a_trial_that_the_fleet_refuses_does_not_keep_the_breaker_half_open() -> None:
    async with opened_half(settings_for(breaker=HALF_OPEN_SOON)) as rig:
        breaker = general(rig)
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        await rig.until(lambda: breaker.state(now_s(rig)) == "half_open")
        rig.front.fleet.freshness.lost(0.0, "as ordered")
        start = Start(None, forwarded=False, replaces=None, why="a test asks")
        rig.half.parts.control.executor.begin(Plan(actions=(start,)))
        await rig.until(lambda: not rig.front.fleet.flights)
        assert breaker.allows(now_s(rig))


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
