"""Replacing engines without a break: all of them, or single ones that are drained."""

from __future__ import annotations

import json

import pytest

from support.fakeruntime import World
from support.half import opened_half, settings_for
from touchline.core.errors import NotFound, Refused

pytestmark = pytest.mark.anyio


async def test_reprovisioning_replaces_one_after_the_other_and_streams_play_on() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 3, "max_replicas": 4})) as rig:
        old = await rig.ready(3)
        await rig.play(old[0], "ch-1")
        assert await rig.front.reprovision.start() == 3
        with pytest.raises(Refused):
            await rig.front.reprovision.start()
        left = {old[0].id}
        await rig.until(
            lambda: {e.id for e in rig.front.fleet.managed()} & {e.id for e in old} == left
        )
        assert rig.front.fleet.stream("ch-1").status == "started"
        assert rig.front.reprovision.status()["in_progress"] is True
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: rig.front.reprovision.status()["status"] == "success")
        assert len(rig.healthy()) >= 3
        assert rig.world.most_alive <= 4
        made = [event.details for event in rig.events.kept if event.category == "created"]
        assert [each["replaces"] for each in made] == [None] * 3 + ["outdated"] * (len(made) - 3)


async def test_a_drained_engine_goes_when_its_streams_have_and_the_others_stay() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        stream = await rig.play(first, "ch-1")
        await rig.front.reprovision.drain(first.id)
        await rig.front.reprovision.drain(first.id)  # once is enough
        await rig.until(
            lambda: (
                [e.draining for e in rig.front.fleet.managed() if e.id == first.id] == ["requested"]
            )
        )
        await rig.until(lambda: len(rig.healthy()) == 3)
        assert rig.front.fleet.stream(stream.id).status == "started"
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: rig.front.fleet.find(first.id) is None)
        assert second.id in rig.world.instances
        await rig.until(lambda: rig.front.reprovision.status()["status"] == "success")
        with pytest.raises(NotFound):
            await rig.front.reprovision.drain("nobody")


async def test_a_drained_engine_says_that_it_was_asked_for_and_not_that_it_is_outdated() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        first, second = await rig.ready(2)
        for engine in (first, second):
            await rig.play(engine, f"ch-{engine.id}")

        def shown() -> dict[str, tuple[str | None, str]]:
            found = json.loads(rig.front.fleet.engines_body().content)
            return {
                each["container_id"]: (each["draining"], each["health_status"]) for each in found
            }

        await rig.front.reprovision.drain(first.id)
        # Proxies that do not know `draining` avoid an engine whose health is unknown.
        assert shown()[first.id] == ("requested", "unknown")
        assert shown()[second.id] == (None, "healthy")
        await rig.front.reprovision.start()
        assert shown()[second.id] == ("outdated", "unknown")
        told = [e.message for e in rig.events.of("engine", "draining")]
        await rig.until(
            lambda: {("requested", "unknown"), ("outdated", "unknown")} <= {*shown().values()}
        )
        assert all("outdated configuration" not in message for message in told)


async def test_a_drained_engine_is_no_hindrance_to_reprovisioning_all() -> None:
    async with opened_half(settings_for(scaling={"min_replicas": 2})) as rig:
        old = await rig.ready(2)
        await rig.play(old[0], "ch-1")
        await rig.front.reprovision.drain(old[0].id)
        assert await rig.front.reprovision.start() >= 2
        with pytest.raises(Refused):
            await rig.front.reprovision.start()
        await rig.until(lambda: rig.front.fleet.find(old[1].id) is None)
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: rig.front.reprovision.status()["status"] == "success")
        assert rig.front.fleet.find(old[0].id) is None
        assert await rig.front.reprovision.start() >= 2  # and it may be begun again


async def test_after_a_restart_the_drained_goes_on_and_all_can_be_asked_for_but_once() -> None:
    settings = settings_for(scaling={"min_replicas": 2})
    world = World()
    async with opened_half(settings, world=world) as rig:
        old = await rig.ready(2)
        await rig.play(old[0], "ch-1")
        await rig.front.reprovision.drain(old[0].id)
        disk, api = rig.disk, rig.engines_api
    async with opened_half(settings, world=world, disk=disk, engines_api=api) as rig:
        assert rig.front.reprovision.outdated == {old[0].id}
        assert await rig.front.reprovision.start() >= 2
    async with opened_half(settings, world=world, disk=disk, engines_api=api) as rig:
        with pytest.raises(Refused):
            await rig.front.reprovision.start()
        await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
        await rig.until(lambda: rig.front.reprovision.status()["status"] == "success")
        assert not {e.id for e in rig.front.fleet.managed()} & {e.id for e in old}
