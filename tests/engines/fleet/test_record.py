"""What is known of an earlier server: nothing is concluded before that has been read."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from support.facts import engine_facts, observed_facts, policy_with
from support.fakeengines import Disk, FakeEngines
from support.fakeruntime import World
from support.half import HalfRig, opened_half, settings_for
from support.virtualtime import run_in_virtual_time
from touchline.core.errors import Blocked
from touchline.engines.control.actions import Start
from touchline.engines.control.observation import Observed
from touchline.engines.control.plan import plan_without_record
from touchline.engines.fleet.adoption import facts_of
from touchline.engines.fleet.rows import Loaded
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder
from touchline.engines.opening import _left_by_an_earlier_server
from touchline.engines.provisioning.runtimesync import RuntimeSync

EAGER = {"min_replicas": 0, "min_free_replicas": 0, "auto_delete": True, "grace_period_s": 0.0}


@dataclass
class Scene:
    """What outlives a server."""

    clock: Clock
    world: World
    disk: Disk
    api: FakeEngines

    def server(self) -> AbstractAsyncContextManager[HalfRig]:
        """One that starts now."""
        return opened_half(
            settings_for(scaling=EAGER),
            world=self.world,
            disk=self.disk,
            engines_api=self.api,
            clock=self.clock,
        )

    def lose_database(self) -> None:
        self.disk.unreadable = self.disk.full = True

    def find_database(self) -> None:
        self.disk.unreadable = self.disk.full = False


def scene(clock: Clock) -> Scene:
    world = World(now=clock.now)
    return Scene(clock, world, Disk(), FakeEngines(world))


async def earlier_server(scene: Scene, number: int) -> list[str]:
    """So many engines that play; their ids."""
    async with scene.server() as rig:
        engines = [await rig.front.provisioner.engine(EngineOrder()) for _ in range(number)]
        for n, engine in enumerate(engines):
            await rig.play(engine, f"ch-{n}")
        await rig.front.control.scale(number)
    return [engine.id for engine in engines]


def test_a_late_database_costs_no_playing_engine_and_then_everything_is_known() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        world, disk = there.world, there.disk
        playing = await earlier_server(there, 2)
        there.lose_database()
        async with there.server() as rig:
            await anyio.sleep(120.0)
            assert [each.id for each in world.alive()] == playing
            assert rig.front.fleet.started() == []
            assert [r["code"] for r in rig.front.readiness.current()["reasons"]] == [
                "database_unavailable"
            ]
            there.find_database()
            await rig.until(lambda: len(rig.front.fleet.started()) == 2)
            assert rig.half.parts.control.reconciler.demand == 2
            await anyio.sleep(60.0)
            assert {each.id for each in world.alive()} >= set(playing)
            stopped = await rig.front.streams.ended(
                container_id=None, stream_id="ch-0", reason="over"
            )
            assert stopped.updated
            await rig.front.control.scale(0)
            await rig.until(lambda: [each.id for each in world.alive()] == playing[1:])
        assert disk.streams["ch-1"].status == "started"
        assert disk.engines[playing[1]]["last_stream_usage"] is not None

    run_in_virtual_time(work)


def test_while_the_record_is_unread_nobody_gets_an_engine_that_may_be_in_use() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        (playing,) = await earlier_server(there, 1)
        there.lose_database()
        async with there.server() as rig:
            await rig.ready(1)
            made = await rig.front.provisioner.engine(EngineOrder())
            assert made.id != playing
            for report in (
                rig.front.streams.started(rig.report(made, "new")),
                rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over"),
                rig.front.control.collect_garbage(),
            ):
                with pytest.raises(Blocked) as refused:
                    await report
                assert refused.value.code == "database_unavailable"
            there.find_database()
            await rig.until(lambda: rig.front.fleet.record_is_read)
            ended = await rig.front.streams.ended(
                container_id=None, stream_id="ch-0", reason="over"
            )
            assert ended.updated

    run_in_virtual_time(work)


def test_what_died_while_the_record_was_unread_has_ended_when_it_is_read() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        disk = there.disk
        first, second = await earlier_server(there, 2)
        there.lose_database()
        async with there.server() as rig:
            await rig.ready(2)
            rig.runtime.kill(first)
            await anyio.sleep(5.0)
            there.find_database()
            await rig.until(lambda: disk.streams["ch-0"].status == "ended")
            assert disk.streams["ch-0"].end_reason == "engine_gone"
            assert rig.front.fleet.stream("ch-1").status == "started"
            assert first not in disk.engines
            assert second in disk.engines

    run_in_virtual_time(work)


@pytest.mark.parametrize(
    "damaged",
    [
        ["nonsense"],
        {"ids": [1, "a"], "is_of_all": True},
        {"ids": "abc", "is_of_all": True},
        {"ids": ["a"], "is_of_all": True, "asked_for": 7},
    ],
)
def test_a_record_that_is_damaged_in_part_gives_the_rest(damaged: Any) -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        disk = there.disk
        await earlier_server(there, 1)
        disk.state["breakers"] = {"general": {"failures": "many"}}
        disk.state["reprovision"] = damaged
        async with there.server() as rig:
            assert rig.half.parts.control.reconciler.demand == 1
            assert len(rig.front.fleet.started()) == 1

    run_in_virtual_time(work)


DAMAGED = [
    {"external": 1},
    {"external": {}},
    {"external": {"host": 1, "port": 2}},
    {"external": {"host": "h", "port": "x"}},
    {"external": {"host": "h", "port": 1 << 40}},
    {"last_stream_usage": "x"},
    {"last_stream_usage": 7},
    {"last_cache_cleanup": "2026-11-21"},
    {"last_cache_cleanup": "2026-11-21T12:00:00"},
    {"labels": None},
    {"labels": [1]},
    {"labels": {"a": 1, "b": "c"}},
    {"cache_size_bytes": "many", "platform": 1, "version": [], "draining": {}},
    {"cache_size_bytes": -1},
    ["nonsense"],
    "nonsense",
    None,
]


@pytest.mark.parametrize("facts", DAMAGED, ids=str)
@pytest.mark.parametrize("when", ["at the start", "late"])
def test_damaged_facts_of_one_engine_cost_no_more_than_themselves(facts: Any, when: str) -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        disk = there.disk
        first, second = await earlier_server(there, 2)
        there.world.instances.pop(first)
        gone = "e" * 64
        if isinstance(facts, dict):
            disk.engines[second] = {**disk.engines[second], **facts}
        disk.engines[gone] = facts
        if when == "late":
            there.lose_database()
        async with there.server() as rig:
            if when == "late":
                await anyio.sleep(5.0)
                there.find_database()
            await rig.until(lambda: rig.front.fleet.record_is_read)
            await rig.until(lambda: second in [each.id for each in rig.healthy()])
            assert rig.front.stale_s() is None
            assert not rig.front.fleet.unread
            assert rig.front.fleet.engines_body().content
            assert rig.front.fleet.stream("ch-1").status == "started"
            await rig.until(lambda: rig.front.fleet.stream("ch-0").status == "ended")
            await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
            await rig.front.control.scale(0)
            await rig.until(lambda: not there.world.alive())

    run_in_virtual_time(work)


@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), OSError(24, "no descriptors")])
@pytest.mark.parametrize("at", ["loaded", "remember"])
def test_a_record_that_cannot_be_taken_up_for_an_unexpected_reason_is_taken_up_later(
    at: str, error: Exception
) -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        (playing,) = await earlier_server(there, 1)
        there.lose_database()
        async with there.server() as rig:
            await rig.ready(1)
            owner: Any = rig.half.parts.resources.store if at == "loaded" else rig.half.runtime_sync
            setattr(owner, at, failing_once(getattr(owner, at), error))
            there.find_database()
            await rig.until(lambda: rig.front.fleet.record_is_read)
            assert rig.front.fleet.stream("ch-0").container_id == playing
            assert not rig.front.fleet.unread
            await rig.front.streams.ended(container_id=None, stream_id="ch-0", reason="over")
            await rig.until(lambda: there.disk.streams["ch-0"].status == "ended")

    run_in_virtual_time(work)


def test_a_record_that_cannot_be_taken_up_at_the_start_ends_no_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        await earlier_server(there, 1)
        with monkeypatch.context() as patched:
            patched.setattr(
                RuntimeSync, "remember", failing_once(RuntimeSync.remember, MemoryError())
            )
            async with there.server() as rig:
                await rig.until(lambda: rig.front.fleet.record_is_read)
                assert rig.front.fleet.stream("ch-0").status == "started"
                assert rig.half.parts.control.reconciler.demand == 1

    run_in_virtual_time(work)


@pytest.mark.anyio
@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), RecursionError()])
async def test_a_record_that_cannot_be_read_for_an_unexpected_reason_is_read_later(
    error: Exception,
) -> None:
    async def load() -> Loaded:
        raise error

    assert await _left_by_an_earlier_server(load) is None


def failing_once(work: Any, error: Exception) -> Any:
    """The same, but for its first call."""
    failures = [error]

    def call(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return work(*args)

    return call


def test_a_database_that_was_replaced_gets_all_that_is_known() -> None:
    async def work(clock: Clock) -> None:
        there = scene(clock)
        disk = there.disk
        async with there.server() as rig:
            engine = await rig.front.provisioner.engine(EngineOrder())
            stream = await rig.play(engine, "ch-1")
            await rig.front.control.scale(1)
            for kept in (disk.streams, disk.engines, disk.state):
                kept.clear()
            rig.half.parts.resources.store.replaced.mark()
            await anyio.sleep(1.0)
            assert disk.streams == {stream.id: stream}
            assert disk.engines[engine.id] == facts_of(rig.front.fleet.engine(engine.id))
            assert disk.state["demand"] == 1

    run_in_virtual_time(work)


@pytest.mark.parametrize(
    ("observed", "starts"),
    [
        (observed_facts(reachable=False), 0),
        (observed_facts(reachable=True), 2),
        (observed_facts(reachable=True, demand=4), 4),
        (observed_facts(reachable=True, demand=40), 5),
        (observed_facts(reachable=True, engines=(engine_facts("a"),)), 1),
        # Neither unwell nor outdated, dead or idle ones are touched.
        (
            observed_facts(
                reachable=True,
                collect=True,
                engines=(
                    engine_facts("a", health="unhealthy", unhealthy_since_s=-1e6),
                    engine_facts("b", current=False),
                    engine_facts("c", vpn="gone", joined=False),
                ),
                dead=(("d", "d"),),
            ),
            0,
        ),
        (observed_facts(reachable=True, start_limit=0), 0),
    ],
)
def test_without_the_record_only_what_is_missing_is_started(
    observed: Observed, starts: int
) -> None:
    policy = policy_with(min_engines=2, min_free_engines=3, max_engines=5, auto_delete=True)
    actions = plan_without_record(observed, policy, 1000.0).actions
    assert all(isinstance(action, Start) for action in actions)
    assert len(actions) == starts
