"""The fleet outlives a restart of the server and an absence of the runtime."""

from __future__ import annotations

import pytest

from support.fakeruntime import AWAY, FakeRuntime, World
from support.half import LABELLED, opened_half, settings_for
from touchline.engines.model.runtime import RuntimeUnavailable

pytestmark = pytest.mark.anyio


async def test_a_restart_keeps_engines_and_streams() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        disk, api = rig.disk, rig.engines_api
    async with opened_half(world=world, disk=disk, engines_api=api) as rig:
        (again,) = rig.front.fleet.managed()
        assert (again.id, again.port, again.name) == (engine.id, engine.port, engine.name)
        assert again.last_stream_usage is not None
        assert rig.front.fleet.stream("ch-1").status == "started"
        await rig.until(lambda: rig.front.fleet.latest("ch-1") is not None)
        # Its port is known to be held.
        assert (await rig.front.provisioner.engine(LABELLED)).port != engine.port


async def test_streams_of_an_engine_that_died_while_no_server_ran_end() -> None:
    world = World()
    async with opened_half(world=world) as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        disk = rig.disk
    del world.instances[engine.id]
    async with opened_half(world=world, disk=disk) as rig:
        await rig.until(lambda: rig.front.fleet.stream("ch-1").status == "ended")
        assert rig.front.fleet.stream("ch-1").end_reason == "engine_gone"


async def test_while_the_runtime_is_away_reads_go_on_and_nothing_is_changed() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        engines = await rig.ready(2)
        rig.runtime.go_away()
        await rig.until(lambda: rig.front.stale_s() is not None)
        assert len(rig.front.fleet.managed()) == 2
        with pytest.raises(RuntimeUnavailable):
            await rig.front.provisioner.engine(LABELLED)
        with pytest.raises(RuntimeUnavailable):
            await rig.front.control.delete(engines[0].id)
        with pytest.raises(RuntimeUnavailable):
            await rig.front.control.collect_garbage()
        assert len(rig.front.fleet.managed()) == 2
        assert rig.front.readiness.current()["ready"] is False
        rig.world.instances.pop(engines[0].id)
        rig.runtime.come_back()
        await rig.until(lambda: rig.front.stale_s() is None)
        await rig.until(lambda: len(rig.healthy()) == 2)
        assert rig.front.fleet.find(engines[0].id) is None


async def test_a_server_that_is_up_before_its_daemon_starts_engines_once_that_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime = FakeRuntime()
    runtime.go_away()
    settings = settings_for(scaling={"min_replicas": 2})
    async with opened_half(settings, runtime=runtime, world=runtime.world) as rig:
        await rig.until(lambda: runtime.calls.count("watch") >= 3)
        for _ in range(3):
            with pytest.raises(RuntimeUnavailable):
                await rig.front.provisioner.engine(LABELLED)
        assert rig.world.starts == 0
        ready = rig.front.readiness.current()
        assert ready["ready"] is False
        assert "runtime_unavailable" in {reason["code"] for reason in ready["reasons"]}
        runtime.come_back()
        await rig.ready(2)
        assert rig.front.stale_s() is None
        assert rig.front.readiness.current()["ready"] is True
        # Its absence was no failure of an image or of the engines, which would open the breaker.
        assert rig.front.status.orchestrator()["provisioning"]["can_provision"] is True
        assert rig.events.of("health", "failed") == []
    (why,) = [text for text in caplog.messages if "no engine is started" in text]
    assert why.startswith("The runtime cannot be reached")
    assert AWAY in why
