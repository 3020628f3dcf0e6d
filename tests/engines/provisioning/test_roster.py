from __future__ import annotations

import pytest

from support.fakeruntime import FakeRuntime
from support.half import HalfRig, idle_half
from touchline.engines.model.labels import HOST_HTTP_PORT, HTTP_PORT
from touchline.engines.model.model import EngineSpec, Instance, PortMapping
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


async def test_streams_of_an_engine_end_with_it() -> None:
    rig = idle_half()
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    await rig.play(rig.front.fleet.engines()[0], "ch-1")
    rig.runtime.kill(instance.id)
    await sync_of(rig).list_once()
    stream = rig.front.fleet.stream("ch-1")
    assert (stream.status, stream.end_reason) == ("ended", "engine_died")
    assert rig.events.of("engine", "failed")[0].details["streams"] == 1


async def test_what_belongs_to_an_engine_goes_with_it() -> None:
    rig = idle_half()
    roster = rig.half.parts.provisioning.roster
    instance = await run_engine(rig.runtime, "engine-1")
    await sync_of(rig).list_once()
    await rig.play(rig.front.fleet.engine(instance.id), "ch-1")
    await rig.play(rig.front.fleet.engine(instance.id), "ch-2")
    assert list(roster.owners_of_ports()) == [instance.id]

    assert roster.take_out(instance.id, "idle") == 2
    roster.release_ports(instance.id)
    roster.forget(instance.id)

    assert rig.front.fleet.find(instance.id) is None
    assert {each.end_reason for each in rig.front.fleet.streams()} == {"idle"}
    assert list(roster.owners_of_ports()) == []
    assert instance.id not in rig.disk.engines


async def test_streams_of_engines_that_vanished_end_once_both_sides_are_known() -> None:
    rig = idle_half()
    first = await run_engine(rig.runtime, "engine-1", 19100)
    second = await run_engine(rig.runtime, "engine-2", 19101)
    await sync_of(rig).list_once()
    for name, instance in (("ch-1", first), ("ch-2", second)):
        await rig.play(rig.front.fleet.engine(instance.id), name)
    rig.front.fleet.remove(first.id)
    rig.disk.engines["c" * 64] = {}

    rig.half.parts.provisioning.roster.settle([first.id, "c" * 64])

    assert rig.front.fleet.stream("ch-1").end_reason == "engine_gone"
    assert rig.front.fleet.stream("ch-2").status == "started"
    assert set(rig.disk.engines) == {second.id}
