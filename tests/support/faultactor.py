"""What clients, operators, the runtime and bad luck do to a server in a life."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from support.half import HalfRig
from support.lives import MOST, Diary, Replacements, WatchedRuntime
from touchline.core.errors import TouchlineError
from touchline.engines.control.selection import SelectOrder
from touchline.engines.model.model import Binding, Instance
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed, StartTimeout

ASK_WITHIN_S = 20.0
PATIENCE_S = 3.0
"""A proxy gives up after so long, and asks again: three times in all."""

TRIES = 3


class Actor:
    """Does one thing after the other to a running server."""

    def __init__(
        self,
        life: Diary,
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
        engines = [e for e in self.rig.front.fleet.managed() if e.health == "healthy"]
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
        self._ask(lambda: self.rig.front.selection.select(order))

    def scale(self) -> None:
        demand = self.rng.randint(0, MOST + 2)
        self._ask(lambda: self.rig.front.control.scale(demand))

    def delete(self) -> None:
        ids = [e.id for e in self.rig.front.fleet.managed()]
        if ids:
            self._ask(lambda: self.rig.front.control.delete(self.rng.choice(ids)))

    def collect(self) -> None:
        self._ask(self.rig.front.control.collect_garbage)

    def generic(self) -> None:
        self._ask(lambda: self.rig.front.provisioner.generic(GenericOrder(image="web:1")))

    def reprovision(self) -> None:
        self._ask(self.rig.front.reprovision.start)

    def drain(self) -> None:
        ids = [engine.id for engine in self.rig.front.fleet.managed()]
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
        self.rig.front.retries.reset(None)

    def restart_server(self) -> None:
        self.restart = True
