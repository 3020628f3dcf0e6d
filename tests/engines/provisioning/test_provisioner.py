"""Who asks for an engine or a container gets one, or is told why not."""

from __future__ import annotations

import anyio
import pytest

from support.fakeruntime import World
from support.half import LABELLED, opened_half, settings_for
from touchline.core.errors import Refused
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import StartFailed

pytestmark = pytest.mark.anyio


async def test_a_ready_engine_is_handed_out_at_once_and_to_one_client_only() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (spare,) = await rig.ready(1)
        assert (await rig.front.provisioner.engine(EngineOrder())).id == spare.id
        other = await rig.front.provisioner.engine(EngineOrder())
        assert other.id != spare.id


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
        assert [each.id for each in rig.front.list_by_label("a", "b")] == [made.id]
        rig.runtime.kill(made.id)
        await anyio.sleep(0.1)
        assert made.id in rig.world.instances  # whoever made it decides
        await rig.front.control.delete(made.id)
        assert made.id not in rig.world.instances


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
