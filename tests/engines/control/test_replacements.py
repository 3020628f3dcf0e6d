from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from support.fakeengines import FakeEngines, MemoryEvents
from support.fakeruntime import FakeRuntime, World
from support.half import opened_half, settings_for
from support.virtualtime import run_in_virtual_time
from touchline.engines.control.replacements import (
    AT_ONCE,
    ROUNDS,
    Place,
    Replacements,
    Round,
    add_round,
    holds,
    list_unresolved,
    records,
    restored,
)
from touchline.engines.fleet.failures import FailureRecord
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Binding, Instance
from touchline.engines.provisioning.enginefacts import EngineFacts
from touchline.engines.vpn.control import Location

PLACE: Place = ("dead_network", "gluetun")


def test_three_go_in_a_minute_and_then_later_each_time() -> None:
    rounds = add_round({}, PLACE, 0.0, 100.0)
    assert not holds(rounds, PLACE, 50.0, 100.0)
    assert add_round(rounds, PLACE, 50.0, 101.0) == rounds  # it was there before
    times, now_s = [100.0], 100.0
    for _ in range(9):
        made_s = now_s + 1.0
        while holds(rounds, PLACE, made_s, now_s := now_s + 5.0):
            pass
        times.append(now_s)
        rounds = add_round(rounds, PLACE, made_s, now_s)
    waits = [b - a for a, b in itertools.pairwise(times)]
    assert waits == [5.0, 5.0, 50.0, 60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_what_goes_now_and_then_goes_at_once() -> None:
    rounds, now_s = add_round({}, PLACE, 0.0, 100.0), 100.0
    for _ in range(20):
        made_s, now_s = now_s + 1.0, now_s + 61.0
        assert not holds(rounds, PLACE, made_s, now_s)
        rounds = add_round(rounds, PLACE, made_s, now_s)


def test_another_reason_or_place_is_not_held_and_old_rounds_are_forgotten() -> None:
    rounds = {PLACE: Round(100.0, 7, 0.0, AT_ONCE)}
    assert not holds(rounds, ("vpn_lost", "gluetun"), 150.0, 150.0)
    assert not holds(rounds, ("dead_network", "other"), 150.0, 150.0)
    assert add_round(rounds, PLACE, 150.0, 2000.0)[PLACE].number == 1


def test_a_server_that_starts_goes_on_with_the_rounds_of_the_one_before() -> None:
    old = Round(-5000.0, 9, -6000.0, AT_ONCE)
    rounds = {PLACE: Round(100.0, 4, 60.0, AT_ONCE), ("died", None): old}
    left = json.loads(json.dumps(records(rounds, 110.0)))
    found = restored(left, 7.0)  # its clock begins anew, and the time between does not count
    assert found == {PLACE: Round(-3.0, 4, -43.0, AT_ONCE)}  # the other one is forgotten
    assert holds(found, PLACE, 6.0, 7.0)


def facts(*, seen_since_s: float, vpn: str | None = "gluetun", **changes: Any) -> EngineFacts:
    """An engine that has been well since it was started."""
    engine = EngineFacts(
        id="e",
        name="e",
        health="healthy",
        unhealthy_since_s=None,
        streams=0,
        leased=False,
        idle_since_s=None,
        draining=None,
        vpn=vpn,
        joined=True,
        forwarded=False,
        current=True,
        asked_for=False,
        seen_since_s=seen_since_s,
    )
    return replace(engine, **changes)


@pytest.mark.parametrize(
    ("engine", "now_s", "resolved"),
    [
        (facts(seen_since_s=110.0), 161.0, True),
        (facts(seen_since_s=110.0), 159.0, False),  # within a minute of the last one
        (facts(seen_since_s=145.0), 161.0, False),  # not well for long enough
        (facts(seen_since_s=99.0), 161.0, False),  # started before
        (facts(seen_since_s=110.0, health="unhealthy"), 161.0, False),
        (facts(seen_since_s=110.0, health="unknown"), 161.0, False),
        (facts(seen_since_s=110.0, vpn="other"), 161.0, False),
        (facts(seen_since_s=110.0, vpn=None), 161.0, False),
    ],
)
def test_an_engine_that_stays_well_ends_what_went_before(
    engine: EngineFacts, now_s: float, *, resolved: bool
) -> None:
    rounds = {PLACE: Round(100.0, 7, 0.0, AT_ONCE)}
    assert list_unresolved(rounds, [engine], now_s) == ({} if resolved else rounds)


def test_engines_that_were_adopted_do_not_end_what_an_earlier_server_began() -> None:
    now_s = 7.0
    store: Any = SimpleNamespace(note_state=lambda *_: None)
    failures = FailureRecord(store, lambda: "")
    events: Any = MemoryEvents()
    replacements = Replacements(events, failures, now_s=lambda: now_s)
    failures.restore({ROUNDS: records({PLACE: Round(100.0, 7, 0.0, AT_ONCE)}, 110.0)})
    before = replacements.rounds
    now_s = 100.0
    replacements.engines_observed([facts(seen_since_s=7.0)])
    assert replacements.rounds == before
    engine: Any = SimpleNamespace(id="e", name="e", vpn_container="gluetun")
    replacements.engine_started(engine)
    replacements.engines_observed([facts(seen_since_s=7.0)])
    assert replacements.rounds == {}


class Control:
    async def forwarded_port(self, url: str) -> int | None:
        return None

    async def location(self, url: str) -> Location:
        return Location()


@pytest.mark.parametrize("skew_s", [-3600.0, -90.0, 0.0, 90.0, 3600.0])
@pytest.mark.parametrize("restarted", [True, False])
def test_clocks_that_differ_make_no_more_than_one_replacement_each(
    skew_s: float, *, restarted: bool
) -> None:
    async def work(clock: Clock) -> None:
        def daemon_now() -> datetime:
            return clock.now() - timedelta(seconds=skew_s)

        world = World(now=daemon_now)
        vpn = Instance(
            id="v" * 64,
            name="gluetun",
            image="gluetun",
            state="running",
            created_at=daemon_now(),
            started_at=daemon_now(),
            ports={f"{port}/tcp": (Binding("127.0.0.1", port),) for port in range(19000, 19400)},
            health="healthy",
        )
        world.instances[vpn.id] = vpn
        settings = settings_for(
            scaling={"min_replicas": 3, "max_replicas": 6},
            health={"interval_s": 1.0, "timeout_s": 0.8},
            vpn={"container_name": "gluetun", "stabilise_s": 1.0},
        )
        async with opened_half(settings, world=world, clock=clock, control=Control()) as rig:
            await rig.until(lambda: len(rig.front.fleet.managed()) == 3, within_s=60)
            await anyio.sleep(30.0)
            before = world.starts
            world.instances[vpn.id] = replace(vpn, health="unhealthy", state="exited")
            await anyio.sleep(20.0)
            back = replace(vpn, started_at=daemon_now()) if restarted else vpn
            world.instances[vpn.id] = back
            await anyio.sleep(300.0)
            # Three at most that did not answer without it, and three that lost their network.
            assert 3 <= world.starts - before <= 6
            assert len(rig.front.fleet.managed()) == 3

    run_in_virtual_time(work)


def most_in_a_minute(times_s: list[float]) -> int:
    return max((sum(t <= u < t + 60.0 for u in times_s) for t in times_s), default=0)


class NeverWell(FakeEngines):
    """Engines that answer once, to their start, and never again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._answered: set[str] = set()

    async def _answering(self, url: str, within_s: float) -> str:
        instance_id = await super()._answering(url, within_s)
        if instance_id in self._answered:
            self.world.frozen.add(instance_id)
        self._answered.add(instance_id)
        return instance_id


@pytest.mark.parametrize("how", ["frozen", "ended", "killed", "removed"])
def test_engines_that_never_get_going_are_replaced_more_and_more_rarely(how: str) -> None:
    async def work(clock: Clock) -> None:
        world = World(now=clock.now)
        api = NeverWell(world) if how == "frozen" else FakeEngines(world)
        runtime = FakeRuntime(world)
        settings = settings_for(
            scaling={"min_replicas": 1, "min_free_replicas": 1, "max_replicas": 3},
            health={"interval_s": 1.0, "timeout_s": 0.8},
        )
        starts: list[float] = []
        known = 0
        async with opened_half(
            settings, world=world, runtime=runtime, engines_api=api, clock=clock
        ) as rig:
            for _ in range(6000):
                await anyio.sleep(0.1)
                if world.starts > known:
                    starts += [clock.now_s()] * (world.starts - known)
                    known = world.starts
                for instance in world.alive() if how != "frozen" else []:
                    if how == "removed":
                        runtime.remove_behind_our_back(instance.id)
                    else:
                        runtime.kill(instance.id, 1 if how == "ended" else 137)
            # The first one, and so many in its place.
            at_once = 10 if how in {"killed", "removed"} else 3
            assert most_in_a_minute(starts) <= at_once + 1
            assert at_once + 2 <= len(starts) <= at_once + 7
            warned = [e for e in rig.events.of("health", "warning") if "rounds" in e.details]
            assert len(warned) >= 2
            # What was wrong is over: without waiting for long, all is well again.
            if how != "frozen":
                await anyio.sleep(301.0)
                assert rig.healthy()

    run_in_virtual_time(work)


def test_an_engine_that_was_well_goes_at_once_whatever_went_before() -> None:
    async def work(clock: Clock) -> None:
        world = World(now=clock.now)
        runtime = FakeRuntime(world)
        settings = settings_for(
            scaling={"min_replicas": 2, "max_replicas": 4},
            health={"interval_s": 1.0, "timeout_s": 0.8},
        )
        async with opened_half(settings, world=world, runtime=runtime, clock=clock) as rig:
            for _ in range(6):
                await anyio.sleep(70.0)
                (engine, *_) = await rig.ready(2)
                runtime.freeze(engine.id)
                frozen_s = clock.now_s()
                await rig.until(
                    lambda gone=engine.id: rig.front.fleet.find(gone) is None, within_s=60
                )
                assert clock.now_s() - frozen_s < 8.0

    run_in_virtual_time(work)


def test_faults_with_quiet_times_in_between_do_not_add_up() -> None:
    async def work(clock: Clock) -> None:
        world = World(now=clock.now)
        runtime = FakeRuntime(world)
        settings = settings_for(
            scaling={"min_replicas": 2, "max_replicas": 4},
            health={"interval_s": 1.0, "timeout_s": 0.8},
        )
        async with opened_half(settings, world=world, runtime=runtime, clock=clock) as rig:
            for number in range(20):
                engine = max(await rig.ready(2), key=lambda each: each.seen_since_s)
                runtime.freeze(engine.id)
                # The fourth young one in a row waits until a minute has passed.
                await rig.until(
                    lambda gone=engine.id: rig.front.fleet.find(gone) is None, within_s=70
                )
                if number % 5 == 4:
                    await anyio.sleep(90.0)

    run_in_virtual_time(work)


def test_an_engine_that_died_and_the_one_in_its_place_are_told_with_reason_and_duration() -> None:
    async def work(clock: Clock) -> None:
        world = World(now=clock.now)
        runtime = FakeRuntime(world)
        settings = settings_for(scaling={"min_replicas": 2, "max_replicas": 4})
        async with opened_half(settings, world=world, runtime=runtime, clock=clock) as rig:
            (engine, *_) = await rig.ready(2)
            await anyio.sleep(90.0)
            runtime.kill(engine.id, 137)
            await rig.until(lambda: bool(rig.events.of("engine", "replaced")), within_s=60)
            (failed,) = rig.events.of("engine", "failed")
            assert failed.ids["container_id"] == engine.id
            assert failed.details["exit_code"] == 137
            assert failed.details["ran_s"] >= 90.0
            (replaced,) = rig.events.of("engine", "replaced")
            assert replaced.ids["container_id"] == engine.id
            told = replaced.details
            assert (told["name"], told["reason"], told["exit_code"]) == (engine.name, "killed", 137)
            new = rig.front.fleet.find(told["replacement_container"])
            assert new is not None
            assert told["replacement"] == new.name != engine.name
            assert 0.0 < told["took_s"] < 60.0

    run_in_virtual_time(work)


def test_an_engine_that_is_started_for_another_reason_replaces_none() -> None:
    async def work(clock: Clock) -> None:
        world = World(now=clock.now)
        settings = settings_for(scaling={"min_replicas": 1, "max_replicas": 4})
        runtime = FakeRuntime(world)
        async with opened_half(settings, world=world, runtime=runtime, clock=clock) as rig:
            await rig.ready(1)
            await rig.front.control.scale(3)
            await rig.ready(3)
            assert rig.events.of("engine", "replaced") == []

    run_in_virtual_time(work)
