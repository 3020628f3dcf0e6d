"""A runtime in memory that obeys a test: it passes the real ones' tests, and fails when told to.

It uses no clock but the event loop's, and no randomness, so that what happened can be repeated.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar

import anyio

from touchline.engines.model.addresses import Deployment
from touchline.engines.model.labels import is_engine
from touchline.engines.model.model import (
    Binding,
    EngineSpec,
    EventKind,
    Executed,
    Instance,
    RuntimeEvent,
    Usage,
)
from touchline.engines.model.runtime import (
    ImageNotFound,
    InstanceNotFound,
    NameInUse,
    PortInUse,
    RuntimeUnavailable,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.broadcast import Broadcast

Action = Callable[[], None]
Failure = Exception | None
MISSING_IMAGE = "no/such:image"
ENDS_AT_ONCE = "ends/at:once"
AWAY = "The fake runtime is away, as it was told"


@dataclass
class World:
    """What runs: it outlives a runtime object, as containers outlive a server."""

    instances: dict[str, Instance] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    taken_ports: set[int] = field(default_factory=set)
    """Ports of the host that another program holds."""
    runtimes: list[FakeRuntime] = field(default_factory=list)
    """Everybody who is told what happens here."""
    most_alive: int = 0
    """So many engines ran at a time at most."""
    starts: int = 0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def alive(self) -> list[Instance]:
        return [each for each in self.instances.values() if each.state in {"running", "paused"}]

    def answers(self, instance_id: str) -> bool:
        """Whether what runs in it would answer."""
        instance = self.instances.get(instance_id)
        return (
            instance is not None and instance.state == "running" and instance_id not in self.frozen
        )

    def at_port(self, port: int) -> Instance | None:
        """The living instance behind a port of the host."""
        for instance in self.alive():
            for bindings in instance.ports.values():
                if any(binding.host_port == port for binding in bindings):
                    return instance
        return None


class FakeRuntime:
    """One server's view of a world. `fail` and `hang` are for the next call of a verb."""

    kind: ClassVar[str] = "fake"
    publishes_ports: ClassVar[bool] = True
    shares_machine: ClassVar[bool] = False

    def __init__(
        self,
        world: World | None = None,
        *,
        label: tuple[str, str] = ("ondemand.app", "myservice"),
        start_s: float = 0.0,
        stop_s: float = 0.0,
    ) -> None:
        self.world = world or World()
        self.calls: list[str] = []
        self.start_s, self.stop_s = start_s, stop_s
        self._label = label
        self._events = Broadcast()
        self._failures: dict[str, list[tuple[Failure, bool]]] = {}
        self._away = False
        self._stale: tuple[int, Sequence[Instance]] = (0, [])
        self._lost = 0
        self._held: list[RuntimeEvent] | None = None
        self._twice = False
        self._names: set[str] = set()
        self.deployment = Deployment("host", ("127.0.0.1",))
        self.world.runtimes.append(self)

    # ------------------------------------------------------------------ what a test orders

    def fail(self, verb: str, error: Exception, *, after: bool = False) -> None:
        """The next call of this verb raises; `after`: once it has been done all the same."""
        self._failures.setdefault(verb, []).append((error, after))

    def hang(self, verb: str) -> None:
        """The next call of this verb gets no answer, and gives up when its time is over."""
        self._failures.setdefault(verb, []).append((None, False))

    def go_away(self) -> None:
        """Every call fails and events end; what runs runs on."""
        self._away = True
        self._events.end()

    def come_back(self) -> None:
        self._away = False

    @property
    def is_away(self) -> bool:
        return self._away

    def lose_events(self, number: int) -> None:
        """So many of the next events reach nobody."""
        self._lost += number

    def hold_events(self) -> None:
        """Keep events back until `let_events_go`."""
        self._held = self._held if self._held is not None else []

    def let_events_go(self, *, backwards: bool = False) -> None:
        """Hand out what was kept back."""
        held, self._held = self._held or [], None
        for event in reversed(held) if backwards else held:
            self._tell(event)

    def repeat_events(self, *, on: bool) -> None:
        """Tell every event twice."""
        self._twice = on

    def stale_lists(self, number: int) -> None:
        """So many of the next lists show what is there now, whatever happens meanwhile."""
        self._stale = (number, self._managed())

    def forget_orders(self) -> None:
        """Nothing that was ordered and has not happened yet will."""
        self._failures.clear()
        self._stale = (0, [])
        self._lost = 0

    def kill(self, instance_id: str, code: int = 137) -> None:
        """What runs in it ends by itself."""
        instance = self.world.instances.get(instance_id)
        if instance is not None and instance.state in {"running", "paused"}:
            self.world.frozen.discard(instance_id)
            self._put(replace(instance, state="exited", exit_code=code))
            self._emit("died", instance, exit_code=code)

    def freeze(self, instance_id: str) -> None:
        """It stays as it is and answers no more."""
        self.world.frozen.add(instance_id)

    def thaw(self, instance_id: str) -> None:
        self.world.frozen.discard(instance_id)

    def remove_behind_our_back(self, instance_id: str) -> None:
        """Somebody else removes it."""
        instance = self.world.instances.get(instance_id)
        if instance is not None:
            self.kill(instance_id)
            del self.world.instances[instance_id]
            self._emit("removed", instance)

    # ------------------------------------------------------------------ the protocol

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        self._must_be_here("start")
        if spec.image == MISSING_IMAGE:
            raise ImageNotFound(f"There is no image {spec.image}")
        names = {each.name for each in self.world.instances.values()} | self._names
        if spec.name in names:
            raise NameInUse(f"{spec.name} is in use")
        self._names.add(spec.name)
        try:
            error, after = await self._maybe_fail("start", within_s)
            if error is not None and not after:
                raise error
            if self.start_s > within_s:
                await anyio.sleep(within_s)
                raise StartTimeout(f"{spec.name} did not start in {within_s:g} s")
            if self.start_s:
                await anyio.sleep(self.start_s)
            self._raise_if_away()
            self._check_ports(spec)
            if spec.image == ENDS_AT_ONCE:
                raise StartFailed(f"{spec.name} ended at once")
            instance = self._instance(spec)
            self._put(instance)
            self.world.starts += 1
            engines = [each for each in self.world.alive() if is_engine(each.labels)]
            self.world.most_alive = max(self.world.most_alive, len(engines))
            self._emit("started", instance)
            if error is not None:
                raise error
            return instance
        finally:
            self._names.discard(spec.name)

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        self._must_be_here("stop")
        error, after = await self._maybe_fail("stop")
        if error is not None and not after:
            raise error
        if self.stop_s:
            await anyio.sleep(min(self.stop_s, grace_s))
            self._raise_if_away()
        instance = self.world.instances.get(instance_id)
        if instance is not None:
            self.kill(instance_id)
            del self.world.instances[instance_id]
            self._emit("removed", instance)
        if error is not None:
            raise error

    async def list(self) -> Sequence[Instance]:
        self._must_be_here("list")
        error, _ = await self._maybe_fail("list")
        if error is not None:
            raise error
        number, stale = self._stale
        if number:
            self._stale = (number - 1, stale)
            return stale
        return self._managed()

    async def inspect(self, reference: str) -> Instance:
        self._must_be_here("inspect")
        error, _ = await self._maybe_fail("inspect")
        if error is not None:
            raise error
        instances = self.world.instances.values()
        found = [each for each in instances if reference in {each.id, each.name}]
        found = found or [each for each in instances if reference and each.id.startswith(reference)]
        if len(found) != 1:
            raise InstanceNotFound(f"There is no {reference}")
        return found[0]

    async def usage(self) -> Mapping[str, Usage]:
        self._must_be_here("usage")
        return {
            each.id: Usage(1.0, 1 << 20, None, 0, 0, 0, 0)
            for each in self._managed()
            if each.state == "running"
        }

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        return self._watch()

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        self._must_be_here("execute")
        if self.world.instances.get(instance_id, None) is None or not any(
            each.id == instance_id for each in self.world.alive()
        ):
            raise InstanceNotFound(f"{instance_id} does not run")
        if command[0] == "sleep":
            await anyio.sleep(min(float(command[1]), within_s))
            if float(command[1]) > within_s:
                raise StartTimeout(f"{command[0]} did not end in {within_s:g} s")
        if command[0] == "cat":
            return Executed(1, f"cat: {command[1]}: No such file".encode())
        output = " ".join(command[1:]) + "\n" if command[0] == "echo" else ""
        return Executed(0, output.encode())

    async def close(self) -> None:
        self._events.end()
        if self in self.world.runtimes:
            self.world.runtimes.remove(self)

    # ------------------------------------------------------------------ inside

    def _must_be_here(self, verb: str) -> None:
        self.calls.append(verb)
        self._raise_if_away()

    def _raise_if_away(self) -> None:
        if self._away:
            raise RuntimeUnavailable(AWAY)

    async def _maybe_fail(self, verb: str, within_s: float = 10.0) -> tuple[Failure, bool]:
        waiting = self._failures.get(verb)
        if not waiting:
            return None, False
        error, after = waiting.pop(0)
        if error is None:
            await anyio.sleep(within_s)
            if verb == "start":
                raise StartTimeout(f"It did not start in {within_s:g} s")
            raise RuntimeUnavailable("It did not answer")
        return error, after

    @asynccontextmanager
    async def _watch(self) -> AsyncIterator[AsyncIterator[RuntimeEvent]]:
        self._must_be_here("watch")
        async with self._events.watching() as events:
            yield events

    def _check_ports(self, spec: EngineSpec) -> None:
        for port in spec.ports:
            taken = port.host_port is not None and (
                port.host_port in self.world.taken_ports
                or self.world.at_port(port.host_port) is not None
            )
            if taken:
                raise PortInUse(f"Port {port.host_port} is in use", port=port.host_port)

    def _instance(self, spec: EngineSpec) -> Instance:
        number = next(self.world.numbers)
        name, value = self._label
        return Instance(
            id=f"{number:064x}"[::-1],
            name=spec.name,
            image=spec.image,
            state="running",
            created_at=self.world.now(),
            started_at=self.world.now(),
            labels={**spec.labels, name: value},
            ports={
                port.name: (Binding("127.0.0.1", port.host_port or 50000 + number),)
                for port in spec.ports
            },
            network=spec.network,
            env=dict(spec.env),
        )

    def _managed(self) -> Sequence[Instance]:
        name, value = self._label
        return [
            replace(each, env={})
            for each in self.world.instances.values()
            if each.labels.get(name) == value
        ]

    def _put(self, instance: Instance) -> None:
        self.world.instances[instance.id] = instance

    def _emit(self, kind: EventKind, instance: Instance, exit_code: int | None = None) -> None:
        event = RuntimeEvent(
            kind, instance.id, instance.name, self.world.now(), instance.labels, exit_code
        )
        for runtime in self.world.runtimes:
            runtime._happened(event)

    def _happened(self, event: RuntimeEvent) -> None:
        if self._lost:
            self._lost -= 1
        elif self._held is not None:
            self._held.append(event)
        else:
            self._tell(event)

    def _tell(self, event: RuntimeEvent) -> None:
        if self._away:
            return
        self._events.publish(event)
        if self._twice:
            self._events.publish(event)


class SharedMachine(FakeRuntime):
    """As the process runtime: engines have this machine's ports, files and addresses."""

    kind = "process"
    publishes_ports = False
    shares_machine = True
