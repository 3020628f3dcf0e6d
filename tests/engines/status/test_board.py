"""What the status board and the list of engines say of capacity."""

from __future__ import annotations

import json

import anyio
import pytest

from support.half import LABELLED, HalfRig, opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.engines.control.selection import SelectOrder
from touchline.engines.streams.report import StreamReport

pytestmark = pytest.mark.anyio


def listed(rig: HalfRig) -> dict[str, tuple[str, str | None]]:
    """Health and `draining` of each engine, by its id, as proxies read them."""
    found = json.loads(rig.front.fleet.engines_body().content)
    return {each["container_id"]: (each["health_status"], each["draining"]) for each in found}


async def test_an_engine_that_gets_no_new_work_is_listed_as_unknown() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2, "max_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        await rig.play(first, "ch-1")
        await rig.play(second, "ch-2")
        assert set(listed(rig).values()) == {("healthy", None)}
        await rig.front.reprovision.start()
        await rig.until(lambda: set(listed(rig).values()) == {("unknown", "outdated")})
        status = rig.front.status.orchestrator()
        assert status["capacity"]["available"] == 0
        assert rig.front.status.health()["healthy_engines"] == 2
        with pytest.raises(Blocked):
            await rig.front.selection.select(SelectOrder())
        # Only streams are waited for: it may be ordered again, with another configuration.
        assert await rig.front.reprovision.start() == 2


async def test_engines_behind_a_lost_vpn_are_not_listed() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 1})) as rig:
        (engine,) = await rig.ready(1)
        rig.front.fleet.change(engine.id, vpn_container="gluetun")
        before = rig.front.fleet.engines_body().version
        rig.front.fleet.set_lost_vpns(frozenset({"gluetun"}))
        assert listed(rig) == {}
        assert rig.front.fleet.engines_body().version > before
        assert rig.front.status.orchestrator()["capacity"]["available"] == 0
        assert rig.front.status.orchestrator()["engines"]["running"] == 1
        assert rig.front.fleet.engine_body(engine.id).content
        rig.front.fleet.set_lost_vpns(frozenset())
        assert set(listed(rig)) == {engine.id}


async def test_an_engine_of_somebody_else_is_no_capacity() -> None:
    async with opened_half() as rig:
        report = StreamReport(
            container_id=None,
            host="192.0.2.7",
            port=6878,
            key_type="infohash",
            key="a" * 40,
            playback_session_id="s",
            stat_url="http://192.0.2.7:6878/ace/stat/a/s",
            command_url="http://192.0.2.7:6878/ace/cmd/a/s",
            is_live=True,
            labels={},
        )
        await rig.front.streams.started(report)
        capacity = rig.front.status.orchestrator()["capacity"]
        assert (capacity["used"], capacity["available"]) == (0, 0)


async def test_status_has_the_number_of_engines_that_is_wanted_within_its_limits() -> None:
    settings = settings_for(scaling={"min_replicas": 1, "max_replicas": 3})
    async with opened_half(settings) as rig:
        await rig.ready(1)
        for demand, target in ((2, 2), (9, 3), (0, 1)):
            await rig.front.control.scale(demand)
            assert rig.front.status.orchestrator()["capacity"]["target"] == target


async def test_status_counts_engines_that_are_being_started() -> None:
    async with opened_half(settings_for(scaling={"startup_timeout_s": 5.0})) as rig:
        rig.world.frozen |= {f"{1:064x}"[::-1]}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.front.provisioner.engine, LABELLED)
            await rig.until(lambda: rig.front.status.orchestrator()["engines"]["starting"] == 1)
            tasks.cancel_scope.cancel()


async def test_status_says_that_no_port_is_left() -> None:
    settings = settings_for(ports={"host": "19000-19001"}, scaling={"max_replicas": 5})
    async with opened_half(settings) as rig:
        for _ in range(2):
            assert rig.front.status.orchestrator()["provisioning"]["can_provision"]
            await rig.front.provisioner.engine(LABELLED)
        said = rig.front.status.orchestrator()["provisioning"]
        assert not said["can_provision"]
        assert said["blocked_reason_details"] is not None
        assert said["blocked_reason_details"]["code"] == "max_capacity"
        assert "port" in (said["blocked_reason"] or "")
