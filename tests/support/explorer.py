"""A fault explorer: a server's life in which everything goes wrong that can, from a seed.

Each step does what a client, an operator, the runtime or bad luck might do. Then everything heals,
time passes, and the invariants must hold. The same seed gives the same life.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from datetime import timedelta

import anyio

from support.fakeengines import Disk, FakeEngines
from support.fakeruntime import World
from support.faultactor import Actor
from support.half import HalfRig, opened_half, settings_for
from support.lives import MOST, Diary, Replacements, WatchedRuntime
from support.virtualtime import run_in_virtual_time
from touchline.core.events.event import Event
from touchline.engines.model.clock import Clock
from touchline.engines.settings.tree import EnginesSettings

STEPS = 40
QUIET_S = 90.0
SKEWS_S = (0.0, 0.0, 90.0, -90.0, 3600.0, -3600.0)
"""How far the daemon's clock may be from the server's."""


class Life(Diary):
    """One schedule, and what it did."""

    def run(self) -> list[str]:
        """What did not hold; nothing, if all is well."""
        # The server's own jitter comes from the same generator: it is part of the schedule.
        random.seed(self.seed)
        run_in_virtual_time(self._live)
        return self.violations

    async def _live(self, clock: Clock) -> None:
        rng = random.Random(self.seed)
        skew = timedelta(seconds=rng.choice(SKEWS_S))
        world, disk = World(now=lambda: clock.now() + skew), Disk()
        began = clock.now() + skew - timedelta(seconds=clock.now_s())
        replacements = Replacements(clock.now_s, world)
        api = FakeEngines(world)
        settings = settings_for(
            scaling={
                "min_replicas": rng.randint(0, 3),
                "min_free_replicas": rng.randint(0, 2),
                "max_replicas": MOST,
                "grace_period_s": rng.choice([0.0, 5.0]),
                "auto_delete": rng.random() < 0.5,
                "startup_timeout_s": 5.0,
                "lease_s": 5.0,
                "resync_s": 10.0,
            },
            health={"interval_s": 1.0, "timeout_s": 0.8, "unhealthy_grace_period_s": 5.0},
            collector={"interval_s": 2.0, "timeout_s": 1.0, "dead_after": 3},
            breaker={"failure_threshold": 3, "recovery_timeout_s": 10.0},
        )
        left = STEPS
        while left:
            async with AsyncExitStack() as stack:
                runtime = WatchedRuntime(world, self.violations)
                runtime.start_s, runtime.stop_s = rng.choice([0.0, 0.3, 1.0, 4.0]), 0.1
                rig = await stack.enter_async_context(
                    opened_half(
                        settings,
                        world=world,
                        disk=disk,
                        engines_api=api,
                        runtime=runtime,
                        clock=clock,
                    )
                )
                heard(rig, replacements)
                actor = Actor(self, rng, rig, runtime, replacements)
                async with anyio.create_task_group() as tasks:
                    actor.tasks = tasks
                    while left and not actor.restart:
                        left -= 1
                        await actor.step()
                        await anyio.sleep(rng.choice([0.0, 0.01, 0.2, 1.0, 3.0]))
                    if not left:
                        actor.heal()
                        await anyio.sleep(QUIET_S)
                        self._judge(rig, settings)
                        self.violations += replacements.violations(
                            lambda made: (made - began).total_seconds()
                        )
                    tasks.cancel_scope.cancel()

    def _judge(self, rig: HalfRig, settings: EnginesSettings) -> None:
        fleet, world = rig.front.fleet, rig.world
        say = self.violations.append
        ours = {engine.id for engine in fleet.managed()}
        running = {i.id for i in world.alive() if "acestream.http_port" in i.labels}
        if ours != running:
            say(f"the fleet is {len(ours)} engines, {len(running)} run")
        dead = [
            i.name
            for i in world.instances.values()
            if i.state == "exited" and "acestream.http_port" in i.labels
        ]
        if dead:
            say(f"left behind: {dead}")
        if rig.front.stale_s() is not None:
            say("still stale")
        most = settings.scaling.max_replicas
        if world.most_alive > most:
            say(f"{world.most_alive} engines ran, {most} are allowed")
        self._judge_numbers(rig, settings, len(ours))
        held = rig.half.parts.provisioning.ports.list_host_ports()
        ports = {engine.port for engine in fleet.managed()}
        if held != ports:
            say(f"ports held {sorted(held)}, used {sorted(ports)}")
        self._judge_streams(rig)
        if gone := self.foreign - world.instances.keys():
            say(f"containers of somebody else were removed: {sorted(gone)}")
        if rig.front.fleet.flights:
            say("an engine is on its way for ever")
        actions = rig.half.parts.control.reconciler.once().actions
        if actions:
            say(f"not at rest: {actions}")

    def _judge_numbers(self, rig: HalfRig, settings: EnginesSettings, number: int) -> None:
        scaling = settings.scaling
        demand = rig.half.parts.control.reconciler.demand or 0
        least = min(max(scaling.min_replicas, demand), scaling.max_replicas)
        if number < least:
            self.violations.append(f"{number} engines, {least} are wanted")
        free = sum(not rig.front.fleet.streams_on(e.id) for e in rig.front.fleet.managed())
        if free < scaling.min_free_replicas and number < scaling.max_replicas:
            self.violations.append(f"{free} free, {scaling.min_free_replicas} are wanted")
        if any(engine.health != "healthy" for engine in rig.front.fleet.managed()):
            self.violations.append("an engine is not healthy at the end")

    def _judge_streams(self, rig: HalfRig) -> None:
        fleet = rig.front.fleet
        for stream_id in self.acknowledged:
            stream, kept = fleet.find_stream(stream_id), rig.disk.streams.get(stream_id)
            if stream is None or kept is None:
                self.violations.append(f"{stream_id} was acknowledged and is lost")
            elif stream != kept:
                self.violations.append(f"{stream_id} is not on the disk as it is shown")
            elif stream_id in self.ended and stream.status != "ended":
                self.violations.append(f"{stream_id} was ended and plays")
        ids = {engine.id for engine in fleet.engines()}
        for stream in fleet.started():
            if stream.container_id not in ids:
                self.violations.append(f"{stream.id} plays on an engine that is gone")


def heard(rig: HalfRig, replacements: Replacements) -> None:
    """Have this server's events taken note of."""
    take = rig.events.take

    def both(event: Event) -> None:
        replacements.take(event)
        take(event)

    rig.events.take = both  # type: ignore[method-assign]
