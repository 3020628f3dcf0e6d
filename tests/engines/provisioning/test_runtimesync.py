"""The fleet becomes what the runtime shows, whatever is lost, late or out of order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from support.fakeruntime import FakeRuntime
from support.half import LABELLED, HalfRig, idle_half, opened_half
from touchline.engines.model.labels import HOST_HTTP_PORT, HTTP_PORT
from touchline.engines.model.model import EngineSpec, Instance, PortMapping
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.provisioning.runtimesync import RuntimeSync

pytestmark = pytest.mark.anyio


async def run_engine(runtime: FakeRuntime, name: str, port: int = 19100) -> Instance:
    """Start an engine that no server has ordered."""
    spec = EngineSpec(
        name,
        "engine:1",
        labels={HTTP_PORT: "40000", HOST_HTTP_PORT: str(port)},
        ports=(PortMapping(40000, port),),
    )
    return await runtime.start(spec, within_s=1.0)


def sync_of(rig: HalfRig) -> RuntimeSync:
    return rig.half.runtime_sync


def names(rig: HalfRig) -> list[str]:
    return [each.name for each in rig.front.fleet.engines()]


def ended(rig: HalfRig) -> list[tuple[object, object]]:
    found = rig.events.of("engine", "failed")
    return [(each.details["name"], each.details["exit_code"]) for each in found]


@asynccontextmanager
async def followed(rig: HalfRig) -> AsyncIterator[None]:
    """Only the synchronisation runs: nothing is started or removed by the plan."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sync_of(rig).run)
        await sync_of(rig).first_list(5.0)
        yield
        tasks.cancel_scope.cancel()


async def test_running_engines_are_adopted_and_other_containers_only_known() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    other = await rig.runtime.start(EngineSpec("svc-1", "web:1"), within_s=1.0)
    await sync_of(rig).list_once()
    (engine,) = rig.front.fleet.engines()
    assert (engine.id, engine.name, engine.port) == (instance.id, "engine-1", 19100)
    assert engine.idle_since_s is not None
    assert set(rig.front.fleet.others) == {other.id}
    assert rig.half.parts.provisioning.ports.list_host_ports() >= {19100}
    (event,) = rig.events.of("system", "connected")
    assert (event.details["engines"], event.details["instances"]) == (1, 2)


async def test_only_the_first_list_after_an_interruption_is_an_event() -> None:
    rig = idle_half()
    for _ in range(3):
        await sync_of(rig).list_once()
    assert len(rig.events.of("system", "connected")) == 1
    assert rig.front.fleet.freshness.is_current


async def test_an_engine_that_a_list_no_longer_shows_is_removed_once_it_is_confirmed() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    del rig.world.instances[instance.id]
    await sync_of(rig).list_once()
    assert names(rig) == []
    assert ended(rig) == [("engine-1", None)]


async def test_a_list_that_is_older_than_an_engine_removes_nothing() -> None:
    rig = idle_half()
    rig.runtime.stale_lists(1)
    async with followed(rig):
        await run_engine(rig.runtime, "engine-1")
        await sync_of(rig).list_once()
        assert names(rig) == ["engine-1"]
        rig.runtime.stale_lists(1)
        rig.runtime.kill(rig.front.fleet.engines()[0].id, code=3)
        await rig.until(lambda: names(rig) == [])
        await sync_of(rig).list_once()
    assert names(rig) == [], "the old list shows it running; it was looked up"
    assert ended(rig) == [("engine-1", 3)], "its end is told once"


async def test_an_engine_that_ended_while_nobody_looked_is_kept_as_what_remains_of_it() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    rig.runtime.kill(instance.id, code=9)
    await sync_of(rig).list_once()
    assert (names(rig), ended(rig)) == ([], [("engine-1", 9)])
    assert rig.front.fleet.others[instance.id].state == "exited"


async def test_an_engine_that_was_restarted_outside_is_adopted_again() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    rig.runtime.kill(instance.id)
    await sync_of(rig).list_once()
    rig.world.instances[instance.id] = instance
    await sync_of(rig).list_once()
    assert names(rig) == ["engine-1"]
    assert instance.id not in rig.front.fleet.others


async def test_an_expected_end_is_no_failure() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    sync_of(rig).stopping.add(instance.id)
    del rig.world.instances[instance.id]
    await sync_of(rig).list_once()
    assert (names(rig), ended(rig)) == ([], [])


async def test_what_the_provisioner_is_starting_is_left_to_it() -> None:
    rig = idle_half()
    sync_of(rig).starting.add("engine-1")
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    assert names(rig) == []
    sync_of(rig).starting.clear()
    await sync_of(rig).list_once()
    assert [each.id for each in rig.front.fleet.engines()] == [instance.id]


async def test_a_removed_instance_does_not_return_with_a_list_that_still_shows_it() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    rig.runtime.stale_lists(1)
    del rig.world.instances[instance.id]
    sync_of(rig).removed(instance.id)
    await sync_of(rig).list_once()
    assert names(rig) == []


async def test_a_paused_engine_is_unhealthy_and_a_list_alone_shows_that_it_runs_again() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    async with followed(rig):
        rig.world.instances[instance.id] = Instance(
            instance.id, "engine-1", "engine:1", "paused", instance.created_at,
            labels=instance.labels, ports=instance.ports,
        )  # fmt: skip
        rig.runtime._emit("paused", instance)
        await rig.until(lambda: rig.front.fleet.engines()[0].paused)
        assert rig.front.fleet.engines()[0].health == "unhealthy"
        rig.world.instances[instance.id] = instance
        await sync_of(rig).list_once()
        assert not rig.front.fleet.engines()[0].paused


async def test_events_are_followed_and_an_unknown_start_is_looked_for() -> None:
    rig = idle_half()
    async with followed(rig):
        instance = await run_engine(rig.runtime, "engine-1")
        await rig.until(lambda: names(rig) == ["engine-1"])
        rig.runtime.remove_behind_our_back(instance.id)
        await rig.until(lambda: names(rig) == [])
        assert rig.front.fleet.others == {}


async def test_nothing_is_concluded_while_the_runtime_is_away() -> None:
    rig = idle_half()
    await run_engine(rig.runtime, "engine-1")
    async with followed(rig):
        rig.runtime.go_away()
        await rig.until(lambda: not rig.front.fleet.freshness.is_current)
        assert names(rig) == ["engine-1"]
        with pytest.raises(RuntimeUnavailable):
            await sync_of(rig).list_once()
        rig.world.instances.clear()
        await anyio.sleep(0.3)
        assert names(rig) == ["engine-1"], "its last known state is shown"
        rig.runtime.come_back()
        await rig.until(lambda: rig.front.fleet.freshness.is_current)
        assert names(rig) == []
    assert len(rig.events.of("system", "disconnected")) == 1, "one event, however often it is tried"


async def test_a_doubted_instance_is_looked_up_before_anything_is_decided() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    rig.runtime.stale_lists(1)
    del rig.world.instances[instance.id]
    sync_of(rig).doubt(instance.id, "its stop was not answered")
    assert not rig.front.fleet.freshness.is_current
    await sync_of(rig).list_once()
    assert (names(rig), rig.front.fleet.freshness.is_current) == ([], True)


async def test_an_earlier_server_is_remembered_whether_its_record_comes_before_the_list() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    facts = {instance.id: {"version": "3.2.3", "labels": {"team": "a"}}}
    sync_of(rig).remember(facts)
    await sync_of(rig).list_once()
    (engine,) = rig.front.fleet.engines()
    assert (engine.version, engine.labels["team"]) == ("3.2.3", "a")


async def test_or_after_it_and_until_then_the_engine_may_have_streams() -> None:
    rig = idle_half()
    rig.front.fleet.note_record(is_read=False)
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    (engine,) = rig.front.fleet.engines()
    assert not rig.front.fleet.is_free(engine, 0.0)
    rig.front.fleet.note_record(is_read=True)
    sync_of(rig).remember({instance.id: {"version": "3.2.3", "labels": {}}})
    (engine,) = rig.front.fleet.engines()
    assert (engine.version, rig.front.fleet.is_free(engine, 0.0)) == ("3.2.3", True)


async def test_waiting_for_the_first_list_has_a_limit() -> None:
    rig = idle_half()
    with anyio.fail_after(5.0):
        await sync_of(rig).first_list(0.01)
    assert not rig.front.fleet.freshness.is_current


async def test_an_engine_that_the_server_starts_itself_is_in_the_fleet_at_once() -> None:
    async with opened_half() as rig:
        rig.runtime.lose_events(100)
        engine = await rig.front.provisioner.engine(LABELLED)
        assert rig.front.fleet.find(engine.id) == rig.front.fleet.engine(engine.id)
        assert engine.id in rig.front.fleet.seen
