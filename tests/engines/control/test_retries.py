from __future__ import annotations

from typing import Any

import pytest

from support.half import HalfRig, idle_half, opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.engines.control.actions import Plan, Start
from touchline.engines.control.retries import Backoff, StartRetries
from touchline.engines.model.clock import Clock
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


class Hand:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s


def limits(hand: Hand, **breaker: Any) -> StartRetries:
    """What decides about starts, of a half that does not run."""
    settings = settings_for(breaker=breaker, health={"replacement_cooldown_s": 30.0})
    return idle_half(settings, clock=Clock(now_s=hand.now_s)).half.parts.control.retries


def test_each_failure_in_a_row_makes_the_pause_longer_up_to_a_limit() -> None:
    backoff, pauses_s = Backoff(), []
    for _ in range(10):
        backoff.failed(0.0)
        pauses_s.append(backoff.not_before_s)
    assert all(0.4 <= pause_s <= 36.0 for pause_s in pauses_s)
    assert pauses_s[0] <= 0.6
    assert pauses_s[-1] >= 24.0
    backoff.worked()
    assert backoff.not_before_s == 0.0
    backoff.failed(0.0)
    assert backoff.not_before_s <= 0.6


def test_after_a_failed_start_none_is_begun_for_a_while() -> None:
    hand = Hand()
    retries = limits(hand)
    assert retries.start_limit() is None
    retries.failed(StartFailed("no"), replaces=False)
    assert retries.start_limit() == 0
    hand.at_s += 1.0
    assert retries.start_limit() is None


def test_a_half_open_breaker_allows_one_start_until_it_has_ended() -> None:
    hand = Hand()
    retries = limits(hand, failure_threshold=1, recovery_timeout_s=60.0)
    retries._breakers.start_failed(StartFailed("no"))
    assert retries.start_limit() == 0
    hand.at_s += 61.0
    assert retries.start_limit() == 1
    trial = retries.begin(replaces=False)
    assert (trial is None, retries.start_limit()) == (False, 0)
    retries.end(trial)
    assert retries.start_limit() == 1


def test_a_replacement_is_followed_by_a_pause_and_other_starts_are_not_delayed() -> None:
    hand = Hand()
    retries = limits(hand)
    retries.begin(replaces=True)
    assert (retries.may_replace(), retries.start_limit()) == (False, None)
    hand.at_s += 30.0
    assert retries.may_replace()


@pytest.mark.parametrize(
    ("error", "may_replace"), [(StartFailed("no"), False), (RuntimeUnavailable("away"), True)]
)
def test_only_what_an_engine_is_to_blame_for_keeps_others_from_being_replaced(
    error: Exception, *, may_replace: bool
) -> None:
    hand = Hand()
    retries = limits(hand, replacement_threshold=1, replacement_timeout_s=600.0)
    retries.failed(error, replaces=True)
    hand.at_s += 60.0
    assert retries.may_replace() is may_replace
    retries.reset(None)
    assert retries.may_replace()
