"""What proxies order: an engine for a stream, reserved for them."""

from __future__ import annotations

import anyio
import pytest

from support.half import opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.engines.control.selection import SelectOrder

pytestmark = pytest.mark.anyio


async def test_selecting_claims_the_best_engine_and_waits_for_capacity() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 1})) as rig:
        first = await rig.front.selection.select(SelectOrder())
        with pytest.raises(Blocked) as caught:
            await rig.front.selection.select(SelectOrder())
        assert caught.value.code == "max_capacity"
        await rig.play(first.engine, "ch-1")
        async with anyio.create_task_group() as tasks:

            async def end() -> None:
                await anyio.sleep(0.05)
                await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")

            tasks.start_soon(end)
            again = await rig.front.selection.select(SelectOrder(wait_s=5.0))
        assert again.engine.id == first.engine.id


async def test_an_engine_that_is_given_back_goes_to_the_next_client() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 1})) as rig:
        first = await rig.front.selection.select(SelectOrder())
        rig.front.selection.give_back(first)
        assert (await rig.front.selection.select(SelectOrder())).engine.id == first.engine.id
