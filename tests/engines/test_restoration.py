from __future__ import annotations

from typing import Any

import anyio
import pytest

from support.latedatabase import earlier_server, scene
from support.virtualtime import run_in_virtual_time
from touchline.engines.fleet.adoption import facts_of
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder
from touchline.engines.provisioning.runtimesync import RuntimeSync


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
