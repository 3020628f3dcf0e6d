from __future__ import annotations

import anyio
import pytest

from support.fakeruntime import MISSING_IMAGE, FakeRuntime
from support.half import LABELLED, HalfRig, opened_half, settings_for
from touchline.core.errors import Refused
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import ImageNotFound, RuntimeUnavailable, StartFailed
from touchline.engines.provisioning.launcher import Launcher, must_be_reachable

pytestmark = pytest.mark.anyio


async def test_a_port_that_turns_out_to_be_taken_is_avoided_from_then_on() -> None:
    async with opened_half() as rig:
        rig.world.taken_ports |= {19000, 19001}
        engine = await rig.front.provisioner.engine(LABELLED)
        assert engine.port == 19002


async def test_a_failed_start_leaves_neither_container_nor_port() -> None:
    async with opened_half() as rig:
        with pytest.raises(ImageNotFound):
            await rig.front.provisioner.engine(EngineOrder(image=MISSING_IMAGE))
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(LABELLED)
        assert rig.world.instances == {}
        assert rig.half.parts.provisioning.ports.list_host_ports() == set()


async def test_an_engine_that_dies_before_it_answers_is_a_failed_start() -> None:
    async with opened_half(settings_for(scaling={"startup_timeout_s": 5.0})) as rig:
        async with anyio.create_task_group() as tasks:

            async def kill_it() -> None:
                await rig.until(lambda: bool(rig.world.instances))
                (instance_id,) = rig.world.instances
                rig.runtime.kill(instance_id, code=3)

            tasks.start_soon(kill_it)
            rig.world.frozen |= {f"{1:064x}"[::-1]}
            with pytest.raises(StartFailed, match="exit code 3"):
                await rig.front.provisioner.engine(LABELLED)
        assert rig.world.instances == {}


async def test_an_engine_that_runs_and_stays_silent_is_given_as_unknown() -> None:
    async with opened_half(settings_for(scaling={"startup_timeout_s": 0.1})) as rig:
        rig.world.frozen |= {f"{1:064x}"[::-1]}
        engine = await rig.front.provisioner.engine(LABELLED)
        assert engine.health == "unknown"


async def test_containers_of_somebody_else_with_our_names_stop_nothing() -> None:
    async with opened_half() as rig:
        other = FakeRuntime(rig.world, label=("somebody", "else"))
        for number in range(1, 31):
            await other.start(EngineSpec(f"acestream-{number}", "theirs"), within_s=1)
        engine = await rig.front.provisioner.engine(LABELLED)
        assert engine.health == "healthy"
        calls = len(rig.runtime.calls)
        await rig.front.provisioner.engine(LABELLED)
        assert rig.runtime.calls[calls:].count("start") <= 9
        for number in range(1, 31):
            await other.start(EngineSpec(f"svc-{number}", "theirs"), within_s=1)
        await rig.front.provisioner.generic(GenericOrder(image="web:1"))


def launcher_of(rig: HalfRig) -> Launcher:
    return rig.half.parts.provisioning.launcher


async def test_what_a_runtime_cannot_map_is_refused_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakeRuntime, "publishes_ports", False)
    async with opened_half() as rig:
        with pytest.raises(Refused) as caught:
            await launcher_of(rig).launch_generic(GenericOrder(image="web:1", ports={"80/tcp": 1}))
        assert caught.value.code == "ports_not_published"
        assert "start" not in rig.runtime.calls


async def test_a_start_whose_end_is_unknown_is_looked_up_and_one_that_failed_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened_half() as rig:
        doubted: list[str] = []
        monkeypatch.setattr(rig.half.runtime_sync, "doubt", lambda name, _: doubted.append(name))
        for error in (StartFailed("no"), RuntimeUnavailable("away")):
            rig.runtime.fail("start", error)
            with pytest.raises(type(error)):
                await rig.front.provisioner.engine(LABELLED)
        assert len(doubted) == 1


def test_nothing_is_started_before_the_runtime_has_answered() -> None:
    fleet = Fleet()
    with pytest.raises(RuntimeUnavailable, match="it has not responded yet"):
        must_be_reachable(fleet)
    fleet.freshness.listed(0.0)
    must_be_reachable(fleet)
    fleet.freshness.lost(1.0, "connection refused")
    with pytest.raises(RuntimeUnavailable, match="connection refused"):
        must_be_reachable(fleet)
