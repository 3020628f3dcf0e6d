"""What operators order: deletion, garbage collection."""

from __future__ import annotations

import pytest

from support.fakeruntime import FakeRuntime
from support.half import LABELLED, opened_half, settings_for
from touchline.core.errors import NotFound, Refused
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


async def test_garbage_is_what_is_idle_beyond_its_time() -> None:
    async with opened_half(settings_for(scaling={"idle_ttl_s": 0.0})) as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        await rig.play(engine, "ch-1")
        assert (await rig.front.control.collect_garbage()).removed == ()
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        (removed,) = (await rig.front.control.collect_garbage()).removed
        assert (removed["container_id"], removed["reason"]) == (engine.id, "idle")
        assert rig.world.instances == {}
