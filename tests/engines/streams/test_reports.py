"""Reports of streams change the engine that they play on."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from support.half import opened_half
from touchline.core.errors import Blocked
from touchline.engines.model.orders import EngineOrder

pytestmark = pytest.mark.anyio


async def test_labels_of_streams_go_with_the_streams() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(EngineOrder(labels={"own": "1"}))
        own = dict(rig.front.fleet.engine(engine.id).labels)
        for number in range(50):
            report = rig.report(engine, f"s-{number}")
            labelled = replace(report, labels={**report.labels, f"n{number}": "x", "shared": "y"})
            await rig.front.streams.started(labelled)
        for number in range(49):
            await rig.front.streams.ended(container_id=None, stream_id=f"s-{number}", reason="over")
        left = rig.front.fleet.engine(engine.id).labels
        assert left == {**own, "stream_id": "s-49", "n49": "x", "shared": "y"}
        await rig.front.streams.ended(container_id=None, stream_id="s-49", reason="over")
        assert rig.front.fleet.engine(engine.id).labels == own
        assert rig.disk.engines[engine.id]["labels"] == own


@pytest.mark.parametrize(("full", "told"), [(False, "stopped"), (True, "session_lost")])
async def test_an_end_noticed_while_it_is_saved_is_one_end(*, full: bool, told: str) -> None:
    async with opened_half() as rig:
        streams, fleet = rig.front.streams, rig.front.fleet
        engine = await rig.front.provisioner.engine(EngineOrder())
        stream = await streams.started(rig.report(engine, "s"))
        rig.disk.full = full

        async def end() -> None:
            try:
                await streams.ended(container_id=None, stream_id="s", reason="stopped")
            except Blocked:
                assert full

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            await anyio.lowlevel.checkpoint()
            assert fleet.stream("s").status == "started"
            streams.end_noticed(stream, "session_lost")
        assert (fleet.stream("s").status, fleet.stream("s").end_reason) == ("ended", told)
        ends = [e for e in rig.events.newest(100) if (e.type, e.category) == ("stream", "ended")]
        assert [e.details["reason"] for e in ends] == [told]
