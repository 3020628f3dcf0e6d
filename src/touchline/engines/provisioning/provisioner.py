"""Provisioning of engines and other containers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

from touchline.core.errors import Blocked, Refused, TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import describe_error
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.flights import Flight
from touchline.engines.model.labels import IDEMPOTENCY
from touchline.engines.model.model import Engine, Instance, Reason
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import Trial
from touchline.engines.provisioning.enginefacts import FleetView
from touchline.engines.provisioning.handouts import Handouts, fingerprint_order
from touchline.engines.provisioning.launcher import Launcher, must_be_reachable
from touchline.engines.settings.tree import ScalingSettings

log = logging.getLogger(__name__)

_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)


class ProvisionMetrics:
    """Counters and timers of provisioning."""

    def __init__(self, metrics: Metrics) -> None:
        self.made = metrics.counter("orch_provision", "Containers started.", ["kind"])
        for kind in ("acestream", "generic"):
            self.made.labels(kind)  # creates the series, at zero
        self.failed = metrics.counter(
            "touchline_provision_failures", "Failed starts by reason.", ["code"]
        )
        self.took = metrics.histogram(
            "touchline_provision_seconds",
            "Time from the request to a responding engine.",
            ["kind"],
            buckets=_BUCKETS,
        )


class Provisioner:
    """Provisioner that admits, reserves, starts, and returns an engine that answers."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        view: FleetView,
        admission: Admission,
        launcher: Launcher,
        events: EventLog,
        metrics: Metrics,
        settings: ScalingSettings,
        now_s: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._view = view
        self._admission = admission
        self._launcher = launcher
        self._events = events
        self._settings = settings
        self._now_s = now_s
        self._slots = anyio.CapacityLimiter(settings.max_concurrent_provisions)
        self._flights = fleet.flights
        self._handouts = Handouts(fleet, lease_s=settings.lease_s, now_s=now_s)
        self._keys: dict[str, anyio.Lock] = {}
        self._tasks: set[asyncio.Task[Engine]] = set()
        self.last_failure: TouchlineError | None = None
        """Error of the newest start; None: it succeeded, or there was none."""
        self._metrics = ProvisionMetrics(metrics)

    async def engine(self, order: EngineOrder) -> Engine:
        """Return an engine for a client, reserved for `scaling.lease_s`.

        A spare engine is returned immediately. The same idempotency key gives the same engine.
        Raises Blocked (`vpn_disconnected`, `circuit_breaker`, `max_capacity`,
        `runtime_unavailable`), ImageNotFound, PortInUse, StartFailed, StartTimeout, and Invalid for
        environment variables that are not allowed; nothing is then left behind.
        """
        self._launcher.check(order)
        if order.idempotency_key is None:
            return await self._engine(order, None)
        key = hashlib.sha256(order.idempotency_key.encode()).hexdigest()[:32]
        mark = f"{key}.{hashlib.sha256(fingerprint_order(order, None).encode()).hexdigest()[:16]}"
        lock = self._keys.setdefault(key, anyio.Lock())
        try:
            async with lock:
                return self._handouts.find_assigned_engine(key, mark) or await self._engine(
                    order, mark
                )
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._keys.pop(key, None)

    def give_back(self, order: EngineOrder, engine: Engine) -> None:
        """Make the engine available to the next equal order.

        Its client disconnected before the answer.
        """
        self._fleet.leases.release(engine.id)
        if order.idempotency_key is None:  # otherwise its mark identifies it
            self._handouts.keep_left(fingerprint_order(order, None), engine)

    async def start_boarded(
        self, flight: Flight, *, why: str, replaces: Reason | None = None
    ) -> Engine:
        """Return the engine of a flight; raises what `engine` raises.

        `replaces` is why the engine is removed in whose place it is started.
        """
        try:
            must_be_reachable(self._fleet)
            refusal = self._admission.vpn_refusal() or self._admission.overbooked()
            if refusal is not None:
                raise refusal
        except BaseException:
            self._flights.leave(flight)
            raise
        return await self._start(EngineOrder(), flight, mark=None, why=why, replaces=replaces)

    async def generic(self, order: GenericOrder) -> Instance:
        """Start any other container, and return it once it is running.

        Raises ImageNotFound, PortInUse, StartFailed, StartTimeout, RuntimeUnavailable, Invalid.
        """
        self._launcher.check(order)
        must_be_reachable(self._fleet)
        began_s = self._now_s()
        instance = await self._launcher.launch_generic(order)
        self._fleet.others[instance.id] = instance
        self._metrics.made.labels("generic").inc()
        self._metrics.took.labels("generic").observe(self._now_s() - began_s)
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

    # ------------------------------------------------------------------ engines

    async def _engine(self, order: EngineOrder, mark: str | None) -> Engine:
        spare = self._view.spare() if order.is_plain else None
        if spare is not None and self._fleet.freshness.is_current:
            self._hand_out(spare, mark)
            self._events.record(
                "engine",
                "claimed",
                f"Idle engine {spare.name} was handed to a client",
                container_id=spare.id,
                name=spare.name,
                lease_s=self._settings.lease_s,
            )
            return spare
        must_be_reachable(self._fleet)
        wanted = fingerprint_order(order, mark)
        engine = self._handouts.take_left(wanted)
        if engine is None:
            flight = self._flights.take_left(wanted) or self._begin_start(order, wanted, mark)
            engine = await self._result_of(flight)
        self._hand_out(engine, None)
        return engine

    def _begin_start(self, order: EngineOrder, wanted: str, mark: str | None) -> Flight:
        """Begin a start that continues when its client disconnects.

        Raises Blocked.
        """
        refusal = self._admission.refusal()
        if refusal is not None:
            self.try_again()
            raise refusal
        flight = self._flights.register_flight(
            None, forwarded=False, for_client=True, wanted=wanted
        )
        self._run_in_task(
            flight, self._start(order, flight, mark=mark, why="requested by a client")
        )
        return flight

    def _run_in_task(self, flight: Flight, start: Coroutine[Any, Any, Engine]) -> None:
        task = flight.run(start)
        self._tasks.add(task)
        task.add_done_callback(self._start_ended)

    def try_again(self) -> None:
        """Start an engine if only a half-open circuit breaker refuses one to a client.

        The breaker refuses clients until a start has succeeded, and a fleet that needs no engine
        would not try another. The next client joins this start.
        """
        trial = self._admission.trial()
        if trial is None:
            return
        wanted = fingerprint_order(EngineOrder(), None)
        flight = self._flights.register_flight(
            None, forwarded=False, for_client=True, wanted=wanted
        )
        flight.abandon()
        self._run_in_task(flight, self._try(flight, trial))

    async def _try(self, flight: Flight, trial: Trial) -> Engine:
        why = "the circuit breaker is half open, and a client waits"
        try:
            return await self._start(EngineOrder(), flight, mark=None, why=why)
        finally:
            self._admission.breakers.general.end_trial(trial)

    async def _result_of(self, flight: Flight) -> Engine:
        """Return the engine of this flight.

        A cancelled caller leaves it to the next one.
        """
        task = flight.task
        if task is None:
            raise AssertionError("a pending start without a start")
        try:
            await asyncio.wait({task})
        except BaseException:
            flight.abandon()
            if task.done() and not task.cancelled() and task.exception() is None:
                self._handouts.keep_left(flight.wanted or "", task.result())
            self._fleet.plan_outdated.mark()
            raise
        if task.cancelled():
            raise RuntimeUnavailable("The server is shutting down: nothing was started")
        return task.result()

    def _start_ended(self, task: asyncio.Task[Engine]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks the error as retrieved; it has been recorded

    def _hand_out(self, engine: Engine, mark: str | None) -> None:
        self._handouts.hand_out(engine, mark)
        self._fleet.plan_outdated.mark()

    async def close(self) -> None:
        """Cancel the abandoned starts, which leave nothing behind."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _start(
        self,
        order: EngineOrder,
        flight: Flight,
        *,
        mark: str | None,
        why: str,
        replaces: Reason | None = None,
    ) -> Engine:
        """Start an engine and add it to the fleet; the caller has been admitted."""
        plain = order.is_plain
        began_s = self._now_s()
        try:
            async with self._slots:
                engine = await self._launcher.launch(order, flight, mark)
        except Exception as unexpected:
            error = _as_reported(unexpected)
            self._metrics.failed.labels(error.code).inc()
            if self.last_failure is None or self.last_failure.message != error.message:
                log.warning("No engine could be started (%s): %s", why, error.message)
            self.last_failure = error
            if plain and not isinstance(error, (Blocked, Refused)):
                self._admission.breakers.start_failed(error)
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
            self._flights.leave(flight)
        self.last_failure = None
        if flight.is_left:
            self._handouts.keep_left(flight.wanted or "", engine)
        if plain:
            self._admission.breakers.start_worked()
        self._metrics.made.labels("acestream").inc()
        self._metrics.took.labels("acestream").observe(self._now_s() - began_s)
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
            replaces=replaces,
            for_client=flight.for_client,
        )
        self._fleet.plan_outdated.mark()
        return engine


def _as_reported(error: Exception) -> TouchlineError:
    """Return the error itself, or the one reported to clients for an unexpected error."""
    if isinstance(error, TouchlineError):
        return error
    log.error("A start failed unexpectedly", exc_info=error)
    return StartFailed(
        f"The start failed unexpectedly ({describe_error(error)}); see the log. Any remains are"
        " removed automatically"
    )
