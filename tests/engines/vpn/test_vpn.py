"""When a VPN container is restarted, and when it is left alone: in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from support.fakeengines import MemoryEvents
from support.fakeruntime import FakeRuntime, World
from support.virtualtime import run_in_virtual_time
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import ContainerHealth, Instance, InstanceState
from touchline.engines.settings.tree import VpnSettings
from touchline.engines.vpn.control import VpnControl
from touchline.engines.vpn.vpn import VpnWatch

NAME = "gluetun"
LIMIT_S = 60.0
EVERY_S = 5.0


class Scene:
    """One VPN container without a published control port, and who watches it."""

    def __init__(self, clock: Clock) -> None:
        self.world = World(now=clock.now)
        self.restarts: list[float] = []
        self.events = MemoryEvents()
        self._now_s = clock.now_s
        began = clock.now()
        self.world.instances["v"] = Instance(
            "v", NAME, "qmcgaw/gluetun", "running", began, started_at=began, health="starting"
        )

        async def restart(name: str) -> None:
            self.restarts.append(clock.now_s())

        async def nobody_knows(vpn: str) -> bool | None:
            return None

        self.watch = VpnWatch(
            settings=VpnSettings(container_name=NAME, unhealthy_restart_timeout_s=LIMIT_S),
            runtime=FakeRuntime(self.world),
            control=cast("VpnControl", None),
            engines_answer=nobody_knows,
            reach=lambda instance, port: None,
            events=cast("Any", self.events),
            supervisor=Supervisor(self.events.record, Metrics()),
            clock=clock,
        )
        self.watch._restart = restart

    async def watched(
        self, for_s: float, health: ContainerHealth | None, state: InstanceState = "running"
    ) -> None:
        """So much time passes while the container is like this."""
        instance = self.world.instances["v"]
        self.world.instances["v"] = replace(instance, health=health, state=state)
        until_s = self._now_s() + for_s
        while self._now_s() < until_s:
            await self.watch.wait_and_look()


def lived(life: Callable[[Scene], Awaitable[None]]) -> Scene:
    scenes: list[Scene] = []

    async def live(clock: Clock) -> None:
        scenes.append(Scene(clock))
        await life(scenes[0])

    run_in_virtual_time(live)
    return scenes[0]


@pytest.mark.parametrize("starts_for_s", [75.0, 600.0])
def test_a_vpn_whose_first_health_check_takes_its_time_is_not_restarted(
    starts_for_s: float,
) -> None:
    async def life(scene: Scene) -> None:
        await scene.watched(starts_for_s, "starting")
        await scene.watched(30, "healthy")

    scene = lived(life)
    assert scene.restarts == []
    assert [event.category for event in scene.events.of("vpn")] == ["connected"]


def test_a_vpn_that_starts_again_after_it_was_connected_is_not_restarted() -> None:
    async def life(scene: Scene) -> None:
        await scene.watched(30, "healthy")
        await scene.watched(2 * LIMIT_S, "starting")
        await scene.watched(30, "healthy")

    assert lived(life).restarts == []


def test_what_was_bad_before_it_started_again_does_not_count() -> None:
    async def life(scene: Scene) -> None:
        await scene.watched(LIMIT_S - 10, "unhealthy")
        await scene.watched(2 * LIMIT_S, "starting")
        await scene.watched(LIMIT_S - 10, "unhealthy")
        await scene.watched(30, "healthy")

    assert lived(life).restarts == []


@pytest.mark.parametrize(
    ("health", "state"), [("unhealthy", "running"), (None, "exited"), ("unhealthy", "exited")]
)
def test_a_vpn_that_stays_bad_after_its_start_is_restarted_once(
    health: ContainerHealth | None, state: InstanceState
) -> None:
    async def life(scene: Scene) -> None:
        await scene.watched(75, "starting")
        await scene.watched(3 * LIMIT_S, health, state)

    scene = lived(life)
    assert len(scene.restarts) == 1
    # Counted from when it was first seen to be bad.
    assert 75 + LIMIT_S <= scene.restarts[0] <= 75 + LIMIT_S + 3 * EVERY_S


@pytest.mark.parametrize("error", [KeyError("x"), OSError(24, "no descriptors"), MemoryError()])
def test_a_restart_that_fails_unexpectedly_stops_no_look_at_the_vpns(error: Exception) -> None:
    async def restart(name: str) -> None:
        raise error

    async def life(scene: Scene) -> None:
        scene.watch._restart = restart
        await scene.watched(2 * LIMIT_S, "unhealthy")
        await scene.watched(30, "healthy")
        assert scene.watch.vpns[0].connected

    assert lived(life).events.of("health", "failed")


def test_while_the_vpn_starts_it_is_neither_connected_nor_lost() -> None:
    async def life(scene: Scene) -> None:
        await scene.watched(75, "starting")
        vpn = scene.watch.vpns[0]
        assert (vpn.health, vpn.connected, vpn.is_lost) == ("starting", False, False)
        assert scene.watch.usable_for_engines() == ()

    lived(life)
