"""A fault explorer: a server's life in which everything goes wrong that can, from a seed.

Each step does what a client, an operator, the runtime or bad luck might do. Then everything heals,
time passes, and the invariants must hold. The same seed gives the same life.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
from anyio.abc import TaskGroup

from support.fakeengines import Disk, FakeEngines
from support.fakeruntime import FakeRuntime, World
from support.half import HalfRig, opened_half, settings_for
from support.virtualtime import run_in_virtual_time
from touchline.core.errors import TouchlineError
from touchline.core.events.event import Event
from touchline.engines.control.control import SelectOrder
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Binding, Instance
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed, StartTimeout
from touchline.engines.settings.tree import EnginesSettings

STEPS = 40
MOST = 5
QUIET_S = 90.0
ASK_WITHIN_S = 20.0
PATIENCE_S = 3.0
"""A proxy gives up after so long, and asks again: three times in all."""

TRIES = 3
SKEWS_S = (0.0, 0.0, 90.0, -90.0, 3600.0, -3600.0)
"""How far the daemon's clock may be from the server's."""

REPLACES = frozenset({"unhealthy", "dead_network", "vpn_lost", "forwarding", "rebalancing"})
MOST_A_MINUTE = 3


class WatchedRuntime(FakeRuntime):
    """Notes who starts or stops something before the runtime was listed again."""

    def __init__(self, world: World, violations: list[str]) -> None:
        super().__init__(world)
        self.violations = violations
        self._listed = True

    def go_away(self) -> None:
        super().go_away()
        self._listed = False

    def _must_be_here(self, verb: str) -> None:
        super()._must_be_here(verb)
        if verb == "list":
            self._listed = True
        elif verb in {"start", "stop"} and not self._listed:
            self.violations.append(f"{verb} before the runtime was listed again")


@dataclass
class Replacements:
    """Which engines went, and whether the same place went too often."""

    now_s: Callable[[], float]
    world: World
    decided: dict[str, list[tuple[float, datetime, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By reason: when, when the engine was made by the daemon's clock, and its id."""
    made: dict[str, datetime] = field(default_factory=dict)
    reset_s: list[float] = field(default_factory=list)
    """When an operator had the server forget what had failed."""

    def reset(self) -> None:
        """Note that replacements are not held because of earlier ones from now on."""
        self.reset_s.append(self.now_s())

    def take(self, event: Event) -> None:
        """Note what an event says of an engine that goes."""
        self.made |= {each.id: each.created_at for each in self.world.instances.values()}
        reason, engine_id = str(event.details.get("reason")), event.ids.get("container_id", "")
        if event.type != "engine" or reason not in REPLACES or engine_id not in self.made:
            return
        known = {each for _, _, each in self.decided[reason]}
        if event.category in {"draining", "deleted"} and engine_id not in known:
            self.decided[reason].append((self.now_s(), self.made[engine_id], engine_id))

    def violations(self, daemon_s: Callable[[datetime], float]) -> list[str]:
        """Where one that was made in the place of another went again, and again."""
        found = []
        for reason, decided in self.decided.items():
            chains: list[list[float]] = []
            for at_s, made, _ in decided:
                made_s = daemon_s(made)
                # The longest line of those of which each was made after the one before went.
                before = max((c for c in chains if c[-1] <= made_s), key=len, default=[])
                chains.append([*before, at_s])
            for chain in chains:
                from_s = max((each for each in self.reset_s if each <= chain[-1]), default=0.0)
                recent = [at_s for at_s in chain if chain[-1] - at_s < 60.0 and at_s >= from_s]
                if len(recent) > MOST_A_MINUTE:
                    found.append(f"one place was replaced at {recent} because of {reason}")
                    break
        return found


@dataclass
class Life:
    """One schedule, and what it did."""

    seed: int
    log: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Streams of which a client was told that they are kept, and their engine."""
    ended: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    """Containers of somebody else's, that nobody but the explorer may remove."""

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
        ours = {engine.id for engine in fleet.ours()}
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
        held = rig.half.parts.ports.held_on_host()
        ports = {engine.port for engine in fleet.ours()}
        if held != ports:
            say(f"ports held {sorted(held)}, used {sorted(ports)}")
        self._judge_streams(rig)
        if gone := self.foreign - world.instances.keys():
            say(f"containers of somebody else were removed: {sorted(gone)}")
        if rig.front.fleet.flights:
            say("an engine is on its way for ever")
        actions = rig.half.parts.reconciler.once().actions
        if actions:
            say(f"not at rest: {actions}")

    def _judge_numbers(self, rig: HalfRig, settings: EnginesSettings, number: int) -> None:
        scaling = settings.scaling
        demand = rig.half.parts.reconciler.demand or 0
        least = min(max(scaling.min_replicas, demand), scaling.max_replicas)
        if number < least:
            self.violations.append(f"{number} engines, {least} are wanted")
        free = sum(not rig.front.fleet.streams_on(e.id) for e in rig.front.fleet.ours())
        if free < scaling.min_free_replicas and number < scaling.max_replicas:
            self.violations.append(f"{free} free, {scaling.min_free_replicas} are wanted")
        if any(engine.health != "healthy" for engine in rig.front.fleet.ours()):
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


class Actor:
    """Does one thing after the other to a running server."""

    def __init__(
        self,
        life: Life,
        rng: random.Random,
        rig: HalfRig,
        runtime: WatchedRuntime,
        replacements: Replacements,
    ) -> None:
        self.life, self.rng, self.rig, self.runtime = life, rng, rig, runtime
        self.replacements = replacements
        self.restart = False
        self.tasks: TaskGroup | None = None
        self._number = len(life.log)

    async def step(self) -> None:
        weighted = [
            (self.provision, 6),
            (self.play, 6),
            (self.impatient, 2),
            (self.foreign, 2),
            (self.end, 3),
            (self.select, 2),
            (self.scale, 3),
            (self.delete, 1),
            (self.collect, 1),
            (self.generic, 1),
            (self.reprovision, 1),
            (self.drain, 1),
            (self.kill, 4),
            (self.freeze, 3),
            (self.thaw, 2),
            (self.remove, 2),
            (self.lose_session, 1),
            (self.take_port, 1),
            (self.fail, 4),
            (self.hang, 1),
            (self.away, 2),
            (self.back, 3),
            (self.lose_events, 2),
            (self.hold_events, 2),
            (self.let_events_go, 2),
            (self.repeat_events, 1),
            (self.stale_list, 2),
            (self.disk, 1),
            (self.unreadable, 1),
            (self.reset, 1),
            (self.restart_server, 1),
        ]
        chosen = self.rng.choices([w for w, _ in weighted], [n for _, n in weighted])[0]
        self.life.log.append(chosen.__name__)
        self._number += 1
        chosen()

    def heal(self) -> None:
        self.runtime.come_back()
        self.runtime.let_events_go()
        self.runtime.repeat_events(on=False)
        self.runtime.forget_orders()
        self.rig.disk.full = self.rig.disk.unreadable = False
        self.rig.world.frozen.clear()
        self.rig.world.taken_ports.clear()
        self.reset()
        self.runtime.start_s = 0.3

    # ------------------------------------------------------------------ clients

    def _ask(self, work: Callable[[], Awaitable[object]]) -> None:
        async def bounded() -> None:
            with anyio.move_on_after(ASK_WITHIN_S):
                try:
                    await work()
                except TouchlineError as error:
                    self.life.log.append(f"  {error.code}")

        if self.tasks is not None:
            self.tasks.start_soon(bounded)

    def provision(self) -> None:
        labels = {"n": str(self._number)} if self.rng.random() < 0.5 else {}
        key = f"key-{self.rng.randint(0, 3)}" if self.rng.random() < 0.3 else None
        order = EngineOrder(labels=labels, idempotency_key=key)
        self._ask(lambda: self.rig.front.provisioner.engine(order))

    def impatient(self) -> None:
        """A client that gives up and asks for the same again, as a proxy does."""

        async def ask() -> None:
            for _ in range(TRIES):
                with anyio.move_on_after(PATIENCE_S):
                    await self.rig.front.provisioner.engine(EngineOrder())
                    return

        self._ask(ask)

    def play(self) -> None:
        engines = [e for e in self.rig.front.fleet.ours() if e.health == "healthy"]
        if not engines:
            return
        engine, stream_id = self.rng.choice(engines), f"s-{self._number}"
        report = self.rig.report(engine, stream_id)

        async def start() -> None:
            stream = await self.rig.front.streams.started(report)
            self.life.acknowledged[stream.id] = stream.container_id
            if self.rng.random() < 0.3:
                await self.rig.front.streams.started(report)

        self._ask(start)

    def end(self) -> None:
        playing = [s.id for s in self.rig.front.fleet.started()]
        if not playing:
            return
        stream_id = self.rng.choice(playing)

        async def end() -> None:
            done = await self.rig.front.streams.ended(
                container_id=None, stream_id=stream_id, reason="over"
            )
            if done.updated:
                self.life.ended.add(stream_id)

        self._ask(end)

    def select(self) -> None:
        order = SelectOrder(wait_s=self.rng.choice([0.0, 5.0]))
        self._ask(lambda: self.rig.front.control.select(order))

    def scale(self) -> None:
        demand = self.rng.randint(0, MOST + 2)
        self._ask(lambda: self.rig.front.control.scale(demand))

    def delete(self) -> None:
        ids = [e.id for e in self.rig.front.fleet.ours()]
        if ids:
            self._ask(lambda: self.rig.front.control.delete(self.rng.choice(ids)))

    def collect(self) -> None:
        self._ask(self.rig.front.control.collect_garbage)

    def generic(self) -> None:
        self._ask(lambda: self.rig.front.provisioner.generic(GenericOrder(image="web:1")))

    def reprovision(self) -> None:
        self._ask(self.rig.front.reprovision.start)

    def drain(self) -> None:
        ids = [engine.id for engine in self.rig.front.fleet.ours()]
        if ids:
            engine_id = self.rng.choice(ids)
            self._ask(lambda: self.rig.front.reprovision.drain(engine_id))

    # ------------------------------------------------------------------ bad luck

    def _some(self) -> str | None:
        ids = [instance.id for instance in self.rig.world.alive()]
        return self.rng.choice(ids) if ids else None

    def kill(self) -> None:
        if (instance_id := self._some()) is not None:
            self.runtime.kill(instance_id, self.rng.choice([0, 1, 137]))

    def freeze(self) -> None:
        if (instance_id := self._some()) is not None:
            self.runtime.freeze(instance_id)

    def thaw(self) -> None:
        if self.rig.world.frozen:
            self.runtime.thaw(self.rng.choice(sorted(self.rig.world.frozen)))

    def remove(self) -> None:
        if (instance_id := self._some()) is not None:
            self.life.foreign.discard(instance_id)
            self.runtime.remove_behind_our_back(instance_id)

    def foreign(self) -> None:
        """Somebody else runs a container with a name, and perhaps a port, of ours."""
        name = f"acestream-{self.rng.randint(1, 6)}"
        port = self.rng.choice([None, self.rng.randint(19000, 19020)])
        instances = self.rig.world.instances
        if any(each.name == name for each in instances.values()):
            return
        if port is not None and self.rig.world.at_port(port) is not None:
            return
        made = Instance(
            id=f"f{self._number:063x}",
            name=name,
            image="somebody/else",
            state=self.rng.choice(["running", "exited", "created"]),
            created_at=self.rig.world.now(),
            ports={"80/tcp": (Binding("0.0.0.0", port),)} if port is not None else {},
        )
        instances[made.id] = made
        self.life.foreign.add(made.id)

    def lose_session(self) -> None:
        if self.rig.engines_api.sessions:
            del self.rig.engines_api.sessions[
                self.rng.choice(sorted(self.rig.engines_api.sessions))
            ]

    def take_port(self) -> None:
        self.rig.world.taken_ports.add(self.rng.randint(19000, 19020))

    def fail(self) -> None:
        verb = self.rng.choice(["start", "start", "stop", "list", "inspect"])
        error: Exception = RuntimeUnavailable("as ordered")
        after = False
        if verb == "start" and self.rng.random() < 0.6:
            error = self.rng.choice([StartFailed("as ordered"), StartTimeout("as ordered")])
        elif verb in {"start", "stop"}:
            after = self.rng.random() < 0.5  # it was done, and nobody heard
        self.runtime.fail(verb, error, after=after)

    def hang(self) -> None:
        self.runtime.hang(self.rng.choice(["start", "stop", "list", "inspect"]))

    def away(self) -> None:
        self.runtime.go_away()

    def back(self) -> None:
        self.runtime.come_back()

    def lose_events(self) -> None:
        self.runtime.lose_events(self.rng.randint(1, 4))

    def hold_events(self) -> None:
        self.runtime.hold_events()

    def let_events_go(self) -> None:
        self.runtime.let_events_go(backwards=self.rng.random() < 0.5)

    def repeat_events(self) -> None:
        self.runtime.repeat_events(on=self.rng.random() < 0.5)

    def stale_list(self) -> None:
        self.runtime.stale_lists(self.rng.randint(1, 3))

    def disk(self) -> None:
        self.rig.disk.full = not self.rig.disk.full

    def unreadable(self) -> None:
        """The database is away: a server that starts now does not know what plays."""
        self.rig.disk.full = self.rig.disk.unreadable = not self.rig.disk.unreadable

    def reset(self) -> None:
        self.replacements.reset()
        self.rig.front.status.reset_breakers(None)

    def restart_server(self) -> None:
        self.restart = True
