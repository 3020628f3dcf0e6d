"""Actions of a plan are executed in the background, each by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.half import LABELLED, opened_half, settings_for
from touchline.engines.control.actions import Drain, Plan, RemoveDead, Start, Stop
from touchline.engines.model.runtime import StartFailed

pytestmark = pytest.mark.anyio

START = Start(None, forwarded=False, replaces=None, why="a test asks")


async def test_the_actions_of_a_plan_are_executed() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 5})) as rig:
        first = await rig.front.provisioner.engine(LABELLED)
        executor = rig.half.parts.control.executor
        executor.begin(Plan(actions=(START, Drain(first.id, "outdated", "it is outdated"))))
        assert rig.front.fleet.engine(first.id).draining == "outdated"
        await rig.ready(2)
        executor.begin(Plan(actions=(Stop(first.id, "idle", "it is idle"),)))
        assert not executor.may_remove(first.id)
        await executor.removed({first.id}, within_s=5.0)
        assert executor.may_remove(first.id)
        assert rig.front.fleet.find(first.id) is None


async def test_an_action_that_fails_affects_no_other() -> None:
    async with opened_half(settings_for(scaling={"max_replicas": 5})) as rig:
        first = await rig.front.provisioner.engine(LABELLED)
        executor = rig.half.parts.control.executor
        rig.runtime.fail("start", StartFailed("no"))
        rig.runtime.fail("stop", StartFailed("no"))
        executor.begin(Plan(actions=(START, RemoveDead("gone", "gone"), START)))
        await executor.removed({"gone"}, within_s=5.0)
        await rig.until(lambda: not rig.front.fleet.flights)
        assert len(rig.healthy()) == 2
        assert rig.front.fleet.find(first.id) is not None
        assert len(rig.events.of("engine", "failed")) == 1


async def test_nothing_is_drained_that_has_gone() -> None:
    async with opened_half() as rig:
        engine = await rig.front.provisioner.engine(LABELLED)
        rig.front.fleet.remove(engine.id)
        rig.half.parts.control.executor.begin(Plan(actions=(Drain(engine.id, "idle", "idle"),)))
        assert rig.front.fleet.find(engine.id) is None
        rig.front.fleet.put(replace(engine, draining=None))
