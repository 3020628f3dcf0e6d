"""Servers one after the other on one world, whose database may be away for a while."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from support.fakeengines import Disk, FakeEngines
from support.fakeruntime import World
from support.half import HalfRig, opened_half, settings_for
from touchline.engines.model.clock import Clock
from touchline.engines.model.orders import EngineOrder

EAGER = {"min_replicas": 0, "min_free_replicas": 0, "auto_delete": True, "grace_period_s": 0.0}


@dataclass
class Scene:
    """What outlives a server."""

    clock: Clock
    world: World
    disk: Disk
    api: FakeEngines

    def server(self) -> AbstractAsyncContextManager[HalfRig]:
        """One that starts now."""
        return opened_half(
            settings_for(scaling=EAGER),
            world=self.world,
            disk=self.disk,
            engines_api=self.api,
            clock=self.clock,
        )

    def lose_database(self) -> None:
        self.disk.unreadable = self.disk.full = True

    def find_database(self) -> None:
        self.disk.unreadable = self.disk.full = False


def scene(clock: Clock) -> Scene:
    """A world without engines, and a disk without a record."""
    world = World(now=clock.now)
    return Scene(clock, world, Disk(), FakeEngines(world))


async def earlier_server(scene: Scene, number: int) -> list[str]:
    """So many engines that play; their ids."""
    async with scene.server() as rig:
        engines = [await rig.front.provisioner.engine(EngineOrder()) for _ in range(number)]
        for n, engine in enumerate(engines):
            await rig.play(engine, f"ch-{n}")
        await rig.front.control.scale(number)
    return [engine.id for engine in engines]
