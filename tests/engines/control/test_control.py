"""What operators and proxies order: deletion, selection, garbage collection."""

from __future__ import annotations

import anyio
import pytest

from support.fakeruntime import FakeRuntime
from support.half import LABELLED, opened_half, settings_for
from touchline.core.errors import Blocked, NotFound, Refused
from touchline.engines.control.control import SelectOrder
from touchline.engines.model.model import EngineSpec

pytestmark = pytest.mark.anyio


async def test_deleting_ends_streams_at_once_and_refuses_what_is_not_ours() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        await rig.front.control.delete(engine.name)
        assert rig.front.fleet.stream("ch-1").end_reason == "deleted"
        assert rig.world.instances == {}
        with pytest.raises(NotFound):
            await rig.front.control.delete("nobody")
        stranger = FakeRuntime(rig.world, label=("somebody", "else"))
        theirs = await stranger.start(EngineSpec(name="theirs", image="x"), within_s=1)
        with pytest.raises(Refused) as caught:
            await rig.front.control.delete(theirs.id)
        assert caught.value.code == "not_managed"
        assert theirs.id in rig.world.instances


async def test_selecting_claims_the_best_engine_and_waits_for_capacity() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 1})) as rig:
        first = await rig.front.control.select(SelectOrder())
        with pytest.raises(Blocked) as caught:
            await rig.front.control.select(SelectOrder())
        assert caught.value.code == "max_capacity"
        await rig.play(first.engine, "ch-1")
        async with anyio.create_task_group() as tasks:

            async def end() -> None:
                await anyio.sleep(0.05)
                await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")

            tasks.start_soon(end)
            again = await rig.front.control.select(SelectOrder(wait_s=5.0))
        assert again.engine.id == first.engine.id


async def test_garbage_is_what_is_idle_beyond_its_time() -> None:
    async with opened_half(settings_for(scaling={"idle_ttl_s": 0.0})) as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        assert (await rig.front.control.collect_garbage()).removed == ()
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        (removed,) = (await rig.front.control.collect_garbage()).removed
        assert (removed["container_id"], removed["reason"]) == (engine.id, "idle")
        assert rig.world.instances == {}
