"""The one way in which engines and other containers are made."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import anyio

from touchline.core.errors import Blocked, Refused, TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import brief
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings, engine_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook
from touchline.engines.model.labels import IDEMPOTENCY, is_engine
from touchline.engines.model.model import Engine, Instance, RuntimeEvent
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import (
    NameInUse,
    PortInUse,
    Runtime,
    RuntimeUnavailable,
    StartFailed,
)
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import Breaker
from touchline.engines.provisioning.keeper import Keeper
from touchline.engines.provisioning.workshop import Workshop
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.variants.variants import engine_name, generic_spec

log = logging.getLogger(__name__)

TRIES = 5
"""Of a start whose port turned out to be taken by somebody else."""

COUNTED_NAMES, MOST_NAMES = 8, 12
"""So many names are tried by their numbers, and then some that are random."""

FOREIGN_S = 600.0
"""A name that turned out to be taken is left alone for so long."""

AVOID_S = 60.0
"""A port that somebody else holds is left alone for so long."""

ASK_TIMEOUT_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.05
_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(eq=False)
class Flight:
    """An engine on its way; it counts as an engine from the moment it is boarded."""

    vpn: str | None
    forwarded: bool
    for_client: bool
    wanted: str | None = None
    """What was ordered, so that an equal order can join it; None: nobody ordered it."""
    is_left: bool = False
    """Whoever ordered it has gone, and nobody has joined it yet."""
    task: asyncio.Task[Engine] | None = None
    name: str = ""
    died: anyio.Event = field(default_factory=anyio.Event)
    exit_code: int | None = None


class Provisioner:
    """Admits, reserves, starts, and returns an engine that answers. Belongs to the event loop."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        keeper: Keeper,
        admission: Admission,
        ports: PortBook,
        workshop: Workshop,
        breaker: Breaker,
        client: AceStreamClient,
        events: EventLog,
        metrics: Metrics,
        settings: EnginesSettings,
        around: Surroundings,
        now: Callable[[], datetime],
        now_s: Callable[[], float],
        choose_spare: Callable[[], Engine | None],
        save_breakers: Callable[[], None],
        nudge: Callable[[], None],
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._keeper = keeper
        self._admission = admission
        self._ports = ports
        self._workshop = workshop
        self._breaker = breaker
        self._client = client
        self._events = events
        self._settings = settings
        self._around = around
        self._now = now
        self._now_s = now_s
        self._choose_spare = choose_spare
        self._save_breakers = save_breakers
        self._nudge = nudge
        self._slots = anyio.CapacityLimiter(settings.scaling.max_concurrent_provisions)
        self._keys: dict[str, anyio.Lock] = {}
        self._handed: dict[str, tuple[str, float]] = {}
        self._foreign: dict[str, float] = {}
        """Names that containers of somebody else have, and until when that is believed."""
        self._left: dict[str, tuple[str, float]] = {}
        """Engines that were ordered and are ready, and nobody waited for them; by the order."""
        self._tasks: set[asyncio.Task[Engine]] = set()
        self.last_failure: TouchlineError | None = None
        """Why the newest start failed; None: it worked, or there was none."""
        self.flights: dict[Flight, None] = {}
        """Engines that are being started; they count as engines."""
        self._made = metrics.counter("orch_provision", "Containers made for somebody.", ["kind"])
        for kind in ("acestream", "generic"):
            self._made.labels(kind)  # there from the start, at zero
        self._failed = metrics.counter(
            "touchline_provision_failures", "Starts that failed, by the reason.", ["code"]
        )
        self._took = metrics.histogram(
            "touchline_provision_seconds",
            "From the order to an engine that answers.",
            ["kind"],
            buckets=_BUCKETS,
        )

    async def engine(self, order: EngineOrder) -> Engine:
        """An engine for a client, kept for it for `scaling.lease_s`; a spare one at once if any.

        The same idempotency key gives the same engine. Raises Blocked (`vpn_disconnected`,
        `circuit_breaker`, `max_capacity`, `runtime_unavailable`), ImageNotFound, PortInUse,
        StartFailed, StartTimeout, Invalid for environment that it must not be given; nothing is
        then left of it.
        """
        self._workshop.check(order)
        if order.idempotency_key is None:
            return await self._engine(order, None)
        key = hashlib.sha256(order.idempotency_key.encode()).hexdigest()[:32]
        mark = f"{key}.{hashlib.sha256(_wanted(order, None).encode()).hexdigest()[:16]}"
        lock = self._keys.setdefault(key, anyio.Lock())
        try:
            async with lock:
                return self._made_before(key, mark) or await self._engine(order, mark)
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._keys.pop(key, None)

    def board(self, vpn: str | None, *, forwarded: bool) -> Flight:
        """Count an engine that the plan wants; `start_boarded` must follow, or `leave`."""
        flight = Flight(vpn, forwarded, for_client=False)
        self.flights[flight] = None
        return flight

    def leave(self, flight: Flight) -> None:
        """It is no longer on its way; again and again is fine."""
        self.flights.pop(flight, None)

    async def start_boarded(self, flight: Flight, *, why: str) -> Engine:
        """The engine of a flight; raises what `engine` raises."""
        try:
            self._must_be_reachable()
            refusal = self._admission.vpn_refusal() or self._admission.overbooked()
            if refusal is not None:
                raise refusal
        except BaseException:
            self.leave(flight)
            raise
        return await self._start(EngineOrder(), flight, mark=None, why=why)

    def made(self, labels: Mapping[str, str]) -> bool:
        """Whether an instance with these labels is an engine, and not something of `generic`."""
        return is_engine(labels)

    async def generic(self, order: GenericOrder) -> Instance:
        """Any other container, as soon as it runs.

        Raises ImageNotFound, PortInUse, StartFailed, StartTimeout, RuntimeUnavailable, Invalid.
        """
        self._workshop.check(order)
        self._must_be_reachable()
        if order.ports and not self._runtime.publishes_ports:
            raise Refused(
                "This runtime maps no ports: a program listens on this machine itself. Nothing was"
                " started; leave ports out",
                code="ports_not_published",
            )
        began_s = self._now_s()
        instance = await self._try_names(
            order.name_prefix, lambda name: self._run_generic(order, name)
        )
        self._fleet.others[instance.id] = instance
        self._made.labels("generic").inc()
        self._took.labels("generic").observe(self._now_s() - began_s)
        self._events.record(
            "engine",
            "created",
            f"Container {instance.name} was started from {order.image}",
            container_id=instance.id,
            name=instance.name,
            image=order.image,
            labels=dict(order.labels),
        )
        return instance

    def saw(self, event: RuntimeEvent) -> None:
        """An event of the runtime: one that is being started may have died."""
        if event.kind != "died":
            return
        for flight in self.flights:
            if flight.name == event.name:
                flight.exit_code = event.exit_code
                flight.died.set()

    # ------------------------------------------------------------------ engines

    async def _engine(self, order: EngineOrder, mark: str | None) -> Engine:
        spare = self._choose_spare() if order.is_plain else None
        if spare is not None and self._fleet.freshness.is_current:
            self._hand_out(spare, mark)
            self._events.record(
                "engine",
                "claimed",
                f"Engine {spare.name}, which was ready, was handed to a client",
                container_id=spare.id,
                name=spare.name,
                lease_s=self._settings.scaling.lease_s,
            )
            return spare
        self._must_be_reachable()
        wanted = _wanted(order, mark)
        engine = self._left_ready(wanted)
        if engine is None:
            flight = self._left_flying(wanted) or self._take_off(order, wanted, mark)
            engine = await self._landing(flight)
        self._hand_out(engine, None)
        return engine

    def _left_ready(self, wanted: str) -> Engine | None:
        """One that an equal order left behind, and that nobody has got since."""
        now_s = self._now_s()
        self._left = {k: left for k, left in self._left.items() if left[1] > now_s}
        engine_id, _ = self._left.pop(wanted, ("", 0.0))
        engine = self._fleet.find(engine_id)
        if engine is None or engine.draining or not self._fleet.is_free(engine, now_s):
            return None
        return engine

    def _left_flying(self, wanted: str) -> Flight | None:
        """The start that an equal order left behind: nobody waits for it yet."""
        for flight in self.flights:
            if flight.wanted == wanted and flight.is_left and flight.task is not None:
                flight.is_left = False
                return flight
        return None

    def _take_off(self, order: EngineOrder, wanted: str, mark: str | None) -> Flight:
        """Begin a start that goes on when whoever ordered it goes away. Raises Blocked."""
        refusal = self._admission.refusal()
        if refusal is not None:
            raise refusal
        flight = Flight(None, forwarded=False, for_client=True, wanted=wanted)
        self.flights[flight] = None
        start = self._start(order, flight, mark=mark, why="a client asked for it")
        flight.task = asyncio.get_running_loop().create_task(start)
        self._tasks.add(flight.task)
        flight.task.add_done_callback(self._landed)
        return flight

    async def _landing(self, flight: Flight) -> Engine:
        """The engine of this flight; whoever is cancelled here leaves it to the next."""
        task = flight.task
        if task is None:
            raise AssertionError("a flight without a start")
        try:
            await asyncio.wait({task})
        except BaseException:
            flight.is_left = True
            if task.done() and not task.cancelled() and task.exception() is None:
                self._keep_left(flight, task.result())
            self._nudge()
            raise
        if task.cancelled():
            raise RuntimeUnavailable("This server is about to end: nothing was started")
        return task.result()

    def _landed(self, task: asyncio.Task[Engine]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # it was recorded, and told to whoever waited

    def _keep_left(self, flight: Flight, engine: Engine) -> None:
        until_s = self._now_s() + self._settings.scaling.lease_s
        self._left[flight.wanted or ""] = (engine.id, until_s)

    async def close(self) -> None:
        """End the starts that nobody waits for; nothing is left of them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _hand_out(self, engine: Engine, mark: str | None) -> None:
        until_s = self._now_s() + self._settings.scaling.lease_s
        self._fleet.leases.grant(engine.id, secrets.token_hex(8), until_s)
        if mark is not None:
            self._handed[mark] = (engine.id, until_s)
        self._nudge()

    def _made_before(self, key: str, mark: str) -> Engine | None:
        """The engine that was given for this key."""
        now_s = self._now_s()
        self._handed = {k: (e, at) for k, (e, at) in self._handed.items() if at > now_s}
        found: dict[str, Engine] = {}
        for other, (engine_id, _) in self._handed.items():
            engine = self._fleet.find(engine_id)
            if engine is not None:
                found[other] = engine
        for engine in self._fleet.ours():
            other_mark = engine.labels.get(IDEMPOTENCY)
            if other_mark is not None:
                found[other_mark] = engine
        for other_mark, engine in found.items():
            if other_mark.partition(".")[0] == key:
                if other_mark != mark:
                    raise Refused(
                        "This Idempotency-Key was used for another request; nothing was started."
                        " Use a new key",
                        code="idempotency_key_reused",
                    )
                return engine
        return None

    async def _start(
        self, order: EngineOrder, flight: Flight, *, mark: str | None, why: str
    ) -> Engine:
        """Everything up to an engine in the fleet; the caller has been admitted."""
        plain = order.is_plain
        began_s = self._now_s()
        try:
            async with self._slots:
                engine = await self._launch(order, flight, mark)
        except Exception as unexpected:
            error = _as_told(unexpected)
            self._failed.labels(error.code).inc()
            if self.last_failure is None or self.last_failure.message != error.message:
                log.warning("No engine could be started (%s): %s", why, error.message)
            self.last_failure = error
            unknown = isinstance(error, RuntimeUnavailable) or error is not unexpected
            if unknown and flight.name:
                # Nobody knows whether it runs.
                self._keeper.doubt(flight.name, error.message)
            if plain and not isinstance(error, (Blocked, Refused)):
                self._breaker_failed(error)
            self._events.record(
                "engine",
                "failed",
                f"No engine could be started: {error.message}",
                code=error.code,
                why=why,
            )
            if error is unexpected:
                raise
            raise error from unexpected
        finally:
            self.leave(flight)
        self.last_failure = None
        if flight.is_left:
            self._keep_left(flight, engine)
        if plain:
            self._breaker_worked()
        self._made.labels("acestream").inc()
        self._took.labels("acestream").observe(self._now_s() - began_s)
        self._events.record(
            "engine",
            "created",
            f"Engine {engine.name} was started: {why}",
            container_id=engine.id,
            name=engine.name,
            host_http_port=engine.host_http_port or engine.port,
            container_http_port=engine.container_http_port,
            labels={k: v for k, v in engine.labels.items() if k != IDEMPOTENCY},
            took_s=round(self._now_s() - began_s, 3),
            why=why,
        )
        self._nudge()
        return engine

    async def _launch(self, order: EngineOrder, flight: Flight, mark: str | None) -> Engine:
        ports, names = 0, 0
        while True:
            name = self._name("acestream", names)
            with self._in_flight(flight, name):
                try:
                    return await self._launch_as(name, order, flight, mark)
                except NameInUse:
                    names += 1
                    self._foreign[name] = self._now_s() + FOREIGN_S
                    if names == MOST_NAMES:
                        raise
                except PortInUse as error:
                    port = error.details.get("port")
                    ports += 1
                    if order.host_port is not None or ports == TRIES:
                        raise
                    if isinstance(port, int):
                        self._ports.avoid(port, for_s=AVOID_S)

    async def _launch_as(
        self,
        name: str,
        order: EngineOrder,
        flight: Flight,
        mark: str | None,
    ) -> Engine:
        timeout_s = self._settings.scaling.startup_timeout_s
        until_s = self._now_s() + timeout_s
        async with self._workshop.prepare(order, vpn=flight.vpn, name=name, mark=mark) as prepared:
            flight.vpn = prepared.vpn
            flight.forwarded = flight.forwarded or prepared.forwarded
            self._must_be_reachable()  # it may have gone while this waited for its turn
            instance = await self._runtime.start(prepared.spec, within_s=timeout_s)
            try:
                engine = engine_of(
                    instance, self._around, facts={}, now=self._now(), now_s=self._now_s()
                )
                if engine is None:
                    raise StartFailed(
                        f"{name} runs, and none of its ports can be reached; it was removed"
                    )
                answers = await self._answers(engine, flight, until_s)
            except BaseException:
                await self._undo(instance)
                raise
            prepared.keep(instance.id)
        health = {"health": "healthy", "last_health_check": self._now()} if answers else {}
        engine = replace(engine, **health)  # type: ignore[arg-type]
        self._keeper.added(engine, instance)
        return engine

    async def _answers(self, engine: Engine, flight: Flight, until_s: float) -> bool:
        """Whether its API answered in time. Raises StartFailed where it ended meanwhile."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if flight.died.is_set():
                raise StartFailed(
                    f"{engine.name} ended with exit code {flight.exit_code} before its"
                    " HTTP API answered; it was removed"
                )
            left_s = until_s - self._now_s()
            if left_s <= 0:
                log.warning("%s runs and does not answer yet; it goes on as unknown", engine.name)
                return False
            try:
                await self._client.status(engine.api_url, within_s=min(ASK_TIMEOUT_S, left_s))
            except Exception as error:  # noqa: BLE001  (whatever it is, it is no answer)
                if not isinstance(error, TouchlineError):
                    log.warning("%s answers what nobody understands: %r", engine.name, error)
                with anyio.move_on_after(pause_s):
                    await flight.died.wait()
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5)
            else:
                return True

    async def _undo(self, instance: Instance) -> None:
        if not self._fleet.freshness.is_current:
            return  # the next list shows what has become of it, and the plan sees to it
        self._keeper.stopping.add(instance.id)
        try:
            with anyio.CancelScope(shield=True):
                await self._runtime.stop(instance.id, grace_s=0)
        except Exception as error:  # noqa: BLE001  (the start's own error counts, not this one)
            log.warning("%s could not be removed: %s", instance.name, brief(error))
            self._keeper.doubt(instance.id, brief(error))
        else:
            self._keeper.removed(instance.id)
        finally:
            self._keeper.stopping.discard(instance.id)

    def _breaker_failed(self, error: TouchlineError) -> None:
        if self._breaker.failed(self._now(), self._now_s()):
            self._events.record(
                "health",
                "failed",
                f"The circuit breaker has opened after {self._breaker.failures} failed starts:"
                f" nothing is started for a while ({error.message})",
                breaker="general",
                failure_count=self._breaker.failures,
                reason=error.code,
            )
        self._save_breakers()

    def _breaker_worked(self) -> None:
        failures = self._breaker.failures
        if self._breaker.worked(self._now()):
            self._events.record(
                "health",
                "recovered",
                f"The circuit breaker is closed again, after {failures} failed starts",
                breaker="general",
                failure_count=failures,
            )
        if failures:
            self._save_breakers()

    # ------------------------------------------------------------------ both

    def _must_be_reachable(self) -> None:
        freshness = self._fleet.freshness
        if not freshness.is_current:
            raise RuntimeUnavailable(
                "The runtime cannot be reached: nothing was started, what runs runs on"
                f" ({freshness.reason or 'it has not answered yet'})"
            )

    async def _run_generic(self, order: GenericOrder, name: str) -> Instance:
        spec = generic_spec(order, name=name)
        return await self._runtime.start(spec, within_s=self._settings.scaling.startup_timeout_s)

    async def _try_names(self, prefix: str, run: Callable[[str], Awaitable[Instance]]) -> Instance:
        names = 0
        while True:
            name = self._name(prefix, names)
            self._keeper.starting.add(name)
            try:
                return await run(name)
            except NameInUse:
                names += 1
                self._foreign[name] = self._now_s() + FOREIGN_S
                if names == MOST_NAMES:
                    raise
            finally:
                self._keeper.starting.discard(name)

    def _name(self, prefix: str, taken: int) -> str:
        """The next number; after so many that were taken, one that nobody has."""
        if taken >= COUNTED_NAMES:
            return f"{prefix}-{secrets.randbelow(900_000_000) + 100_000_000}"
        now_s = self._now_s()
        self._foreign = {name: until for name, until in self._foreign.items() if until > now_s}
        return engine_name(self._names() | self._foreign.keys(), prefix)

    def _names(self) -> set[str]:
        ours = {engine.name for engine in self._fleet.ours()}
        others = {instance.name for instance in self._fleet.others.values()}
        return ours | others | self._keeper.starting

    @contextmanager
    def _in_flight(self, flight: Flight, name: str) -> Iterator[None]:
        flight.name = name
        flight.died = anyio.Event()
        self._keeper.starting.add(name)
        try:
            yield
        finally:
            self._keeper.starting.discard(name)


def _wanted(order: EngineOrder, mark: str | None) -> str:
    """Equal for orders that the same engine would do for."""
    what = [dict(order.labels), dict(order.env), order.image, order.host_port]
    return json.dumps([*what, mark] if mark is not None else what)


def _as_told(error: Exception) -> TouchlineError:
    """The error itself, or what clients are told in the place of one that nobody expected."""
    if isinstance(error, TouchlineError):
        return error
    log.error("A start failed unexpectedly", exc_info=error)
    return StartFailed(
        f"It was not started, for a reason that nothing is prepared for ({brief(error)}); the log"
        " has more. What may be left of it is looked for and removed"
    )
