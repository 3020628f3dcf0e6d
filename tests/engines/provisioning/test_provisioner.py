"""Who asks for an engine or a container gets one, or is told why not."""

from __future__ import annotations

import anyio
import pytest

from support.fakeruntime import MISSING_IMAGE, FakeRuntime, World
from support.half import LABELLED, opened_half, settings_for
from touchline.core.errors import Blocked, Refused
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import ImageNotFound, PortInUse, StartFailed

pytestmark = pytest.mark.anyio


async def test_a_ready_engine_is_handed_out_at_once_and_to_one_client_only() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        assert (await rig.front.provisioner.engine(EngineOrder())).id == spare.id
        other = await rig.front.provisioner.engine(EngineOrder())
        assert other.id != spare.id


async def test_an_order_that_is_special_gets_an_engine_of_its_own() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        engine = await rig.front.provisioner.engine(
            EngineOrder(labels={"stream_id": "7"}, env={"EXTRA_A": "1"}, image="other/image:1")
        )
        instance = rig.world.instances[engine.id]
        assert engine.id != spare.id
        assert instance.image == "other/image:1"
        assert (instance.labels["stream_id"], instance.env["EXTRA_A"]) == ("7", "1")
        assert (engine.container_http_port, engine.container_https_port) == (40000, 45000)


async def test_a_fixed_port_is_honoured_or_refused() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        assert engine.port == 19555
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19555))
        rig.world.taken_ports.add(19556)
        with pytest.raises(PortInUse):
            await rig.front.provisioner.engine(EngineOrder(host_port=19556))
        assert len(rig.world.instances) == 1


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
        assert rig.half.parts.provisioning.ports.held_on_host() == set()


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


async def test_the_same_key_gives_the_same_engine_and_another_order_is_refused() -> None:
    async with opened_half() as rig:
        order = EngineOrder(labels={"a": "b"}, idempotency_key="key-1")
        engines = []

        async def ask() -> None:
            engines.append((await rig.front.provisioner.engine(order)).id)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        assert len(set(engines)) == 1
        assert len(rig.world.instances) == 1
        with pytest.raises(Refused) as caught:
            await rig.front.provisioner.engine(
                EngineOrder(labels={"a": "c"}, idempotency_key="key-1")
            )
        assert caught.value.code == "idempotency_key_reused"


async def test_a_key_is_known_to_the_next_server() -> None:
    world = World()
    order = EngineOrder(labels={"a": "b"}, idempotency_key="key-1")
    async with opened_half(world=world) as rig:
        before = await rig.front.provisioner.engine(order)
    async with opened_half(world=world) as rig:
        assert (await rig.front.provisioner.engine(order)).id == before.id


async def test_generic_containers_are_no_engines_and_can_be_deleted() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        await rig.ready(1)
        made = await rig.front.provisioner.generic(
            GenericOrder(image="nginx:1", labels={"a": "b"}, ports={"80/tcp": 18080})
        )
        assert made.name == "svc-1"
        assert len(rig.front.fleet.managed()) == 1
        assert [each.id for each in rig.front.by_label("a", "b")] == [made.id]
        rig.runtime.kill(made.id)
        await anyio.sleep(0.1)
        assert made.id in rig.world.instances  # whoever made it decides
        await rig.front.control.delete(made.id)
        assert made.id not in rig.world.instances


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


async def test_the_log_says_once_why_no_engine_can_be_started(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def logged() -> list[str]:
        return [text for text in caplog.messages if "No engine could be started" in text]

    async with opened_half() as rig:
        for number, words in enumerate(("no space", "no network", "no space"), start=1):
            for _ in range(3):
                rig.runtime.fail("start", StartFailed(words))
                with pytest.raises(StartFailed):
                    await rig.front.provisioner.engine(LABELLED)
            assert len(logged()) == number
            assert words in logged()[-1]
        await rig.front.provisioner.engine(LABELLED)
        rig.runtime.fail("start", StartFailed("no space"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(LABELLED)
    assert len(logged()) == 4, "it is said again after a start that worked"
