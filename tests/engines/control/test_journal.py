"""Events about the size of the fleet: once for each state, when it begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from support.fakeengines import MemoryEvents
from touchline.core.metrics import Metrics
from touchline.engines.control.actions import Plan, Start
from touchline.engines.control.journal import PlanJournal
from touchline.engines.fleet.adoption import external_engine
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock


def fleet_of(*healths: str) -> Fleet:
    clock, fleet = Clock(), Fleet()
    fleet.freshness.listed(0.0)
    for number, health in enumerate(healths):
        engine = external_engine(
            str(number), "127.0.0.1", 6000 + number, {}, now=clock.now(), now_s=0.0
        )
        fleet.put(replace(engine, external=False, health=cast("Any", health)))
    return fleet


def recorded(fleet: Fleet, *plans: Plan, least: int = 1) -> list[str]:
    events = MemoryEvents()
    journal = PlanJournal(cast("Any", events), Metrics(), fleet, min_engines=least)
    for each in plans:
        journal.record(each, took_s=0.001)
    return [event.category for event in events.kept]


def test_starts_are_recorded_with_each_plan() -> None:
    start = Start(None, forwarded=False, replaces=None, why="1 engines are wanted")
    assert recorded(fleet_of(), Plan(actions=(start,)), Plan(actions=(start,)), Plan()) == [
        "scaling",
        "scaling",
    ]


def test_a_high_share_of_unhealthy_engines_is_recorded_once() -> None:
    fleet = fleet_of("healthy", "unhealthy")
    assert recorded(fleet, Plan(), Plan()) == ["warning"]
    assert recorded(fleet_of("healthy", "healthy", "healthy", "unhealthy"), Plan()) == []


def test_fewer_healthy_engines_than_wanted_are_recorded_once() -> None:
    assert recorded(fleet_of("healthy"), Plan(), Plan(), least=2) == ["insufficient_engines"]
    assert recorded(fleet_of(), Plan(), least=2) == []
