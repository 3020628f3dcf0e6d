"""Reports of streams change the engine that they play on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.half import opened_half
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
