"""Where engines run, and what becomes of them when the server ends in order."""

from __future__ import annotations

import pytest

from support.fakeengines import Disk
from support.fakeruntime import World
from support.half import opened_half, settings_for
from touchline.engines.model.orders import EngineOrder
from touchline.engines.model.runtime import StartFailed
from touchline.engines.opening import _runtime_for
from touchline.engines.settings.tree import EnginesSettings

pytestmark = pytest.mark.anyio

PROGRAM = {"process": {"command": ["/bin/engine"]}}


@pytest.mark.parametrize(
    ("settings", "wanted", "kind"),
    [
        ({}, True, "docker"),
        ({}, False, "auto"),
        ({"runtime": {"kind": "auto", **PROGRAM}}, True, "auto"),
        ({"runtime": {"kind": "auto", **PROGRAM}, "image": {"name": "a/b:1"}}, True, "docker"),
        ({"runtime": {"kind": "process", "command": ["/bin/engine"]}}, True, "process"),
        ({"vpn": {"container_name": "gluetun"}}, False, "docker"),
    ],
)
def test_docker_is_waited_for_where_nothing_else_can_be_meant(
    settings: dict[str, object], kind: str, *, wanted: bool
) -> None:
    assert _runtime_for(EnginesSettings.model_validate(settings), wanted=wanted).kind == kind


async def test_a_breaker_is_closed_when_the_image_is_another_one() -> None:
    world, disk = World(), Disk()
    breaker = {"failure_threshold": 1}
    async with opened_half(settings_for(breaker=breaker), world=world, disk=disk) as rig:
        rig.runtime.fail("start", StartFailed("no"))
        with pytest.raises(StartFailed):
            await rig.front.provisioner.engine(EngineOrder())
        assert rig.half.parts.base.failures.current()["general"]["open_for_s"] > 0
        reasons = {
            each["code"]: each["message"] for each in rig.front.readiness.current()["reasons"]
        }
        assert set(reasons) == {"circuit_breaker", "start_failed"}
    for image, is_open in ((None, True), ("another/one:1", False)):
        settings = settings_for(breaker=breaker, image={"name": image})
        async with opened_half(settings, world=world, disk=disk) as rig:
            opened = rig.half.parts.base.failures.current()["general"]["open_for_s"]
            assert (opened is not None) is is_open


async def test_engines_are_stopped_at_an_orderly_end_where_that_is_configured() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        await rig.ready(2)
        assert rig.half.running() == 2
        await rig.half.stop_all()
        assert rig.half.running() == 0
