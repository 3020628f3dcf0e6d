"""The readiness of the half: what limits it is named, and only the runtime makes it unready."""

from __future__ import annotations

import pytest

from support.half import opened_half, settings_for
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import StartFailed

pytestmark = pytest.mark.anyio


async def test_a_failed_start_is_a_reason_and_does_not_make_it_unready() -> None:
    async with opened_half(settings_for(breaker={"failure_threshold": 1})) as rig:
        assert rig.front.readiness.current() == {"ready": True, "reasons": []}
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        found = rig.front.readiness.current()
        assert found["ready"]
        assert {each["code"] for each in found["reasons"]} == {"circuit_breaker", "start_failed"}


async def test_it_is_not_ready_without_its_runtime() -> None:
    async with opened_half() as rig:
        rig.front.fleet.freshness.lost(0.0, "nobody answers")
        found = rig.front.readiness.current()
        assert not found["ready"]
        assert [each["code"] for each in found["reasons"]] == ["runtime_unavailable"]
