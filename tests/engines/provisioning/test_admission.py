from __future__ import annotations

from typing import Any

import anyio
import pytest

from support.half import LABELLED, HalfRig, idle_half, opened_half, settings_for
from support.values import engine_value
from touchline.core.errors import Blocked
from touchline.engines.model.clock import Clock
from touchline.engines.model.runtime import StartFailed
from touchline.engines.provisioning.admission import Admission

pytestmark = pytest.mark.anyio


async def test_nobody_exceeds_the_maximum_however_many_ask_at_once() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 3})) as rig:
        rig.runtime.start_s = 0.02
        outcomes: list[str] = []

        async def ask() -> None:
            try:
                await rig.front.provisioner.engine(LABELLED)
            except Blocked as error:
                outcomes.append(error.code)
            else:
                outcomes.append("made")

        await rig.front.control.scale(3)
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(ask)
        await rig.ready(3)
        await anyio.sleep(0.1)
        assert rig.world.most_alive == 3
        assert set(outcomes) <= {"made", "max_capacity"}
        assert "max_capacity" in outcomes


class Hand:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s


def resting(hand: Hand | None = None, **groups: Any) -> tuple[HalfRig, Admission]:
    """The admission of a half that does not run, whose runtime has answered."""
    rig = idle_half(settings_for(**groups), clock=Clock(now_s=(hand or Hand()).now_s))
    rig.front.fleet.freshness.listed(0.0)
    return rig, rig.half.parts.provisioning.admission


def test_where_nothing_is_in_the_way_nobody_is_refused() -> None:
    _, admission = resting()
    assert admission.refusal() is None
    assert admission.why_blocked() is None
    assert admission.trial() is None, "there is nothing to try while the breaker is closed"


def test_the_maximum_counts_what_runs_starts_or_stops() -> None:
    rig, admission = resting(scaling={"max_replicas": 2, "auto_delete": False})
    rig.front.fleet.put(engine_value("a"))
    assert admission.capacity_refusal() is None
    rig.front.fleet.going.add("b")
    refusal = admission.capacity_refusal()
    assert refusal is not None
    assert (refusal.code, refusal.can_retry, refusal.eta_s) == ("max_capacity", False, None)
    assert "2 of 2 engines" in refusal.message
    assert admission.overbooked() is None
    rig.front.fleet.going.add("c")
    assert admission.overbooked() is not None


async def test_a_host_without_a_free_port_is_said_to_be_full() -> None:
    rig, admission = resting(ports={"host": "19000-19001"})
    ports = rig.half.parts.provisioning.ports
    async with ports.reserve() as reserved:
        for port in (19000, 19001):
            await ports.take_host_port(reserved, port)
        refusal = admission.capacity_refusal()
    assert refusal is not None
    assert "19000-19001" in refusal.message
    assert admission.capacity_refusal() is None


def test_an_open_breaker_says_how_long_it_takes_and_then_allows_one_trial() -> None:
    hand = Hand()
    breaker = {"failure_threshold": 1, "recovery_timeout_s": 60.0}
    rig, admission = resting(hand, breaker=breaker)
    rig.half.parts.provisioning.breakers.start_failed(StartFailed("no"))
    hand.at_s += 20.5
    refusal = admission.refusal()
    assert refusal is not None
    assert (refusal.code, refusal.eta_s, refusal.can_retry) == ("circuit_breaker", 40.0, False)
    assert (admission.why_blocked(), admission.trial()) == (refusal.message, None)
    hand.at_s += 60.0
    assert admission.trial() is not None
    assert admission.trial() is None, "one at a time"


def test_nothing_is_tried_while_the_runtime_is_away() -> None:
    hand = Hand()
    rig, admission = resting(hand, breaker={"failure_threshold": 1, "recovery_timeout_s": 1.0})
    rig.half.parts.provisioning.breakers.start_failed(StartFailed("no"))
    hand.at_s += 2.0
    rig.front.fleet.freshness.lost(0.0, "as ordered")
    assert admission.trial() is None
