"""Synchronisation of the fleet with the runtime: subscribe, list, apply, and list again."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

import anyio

from touchline.backoff import RetryPauses
from touchline.core.errors import TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.supervision import describe_error
from touchline.core.tasks import keep_running
from touchline.engines.fleet.adoption import (
    Surroundings,
    addresses_of,
    complete_from_record,
    engine_of,
)
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.model.labels import is_engine
from touchline.engines.model.model import Engine, Instance, RuntimeEvent
from touchline.engines.model.runtime import InstanceNotFound, Runtime
from touchline.engines.provisioning.roster import Roster

log = logging.getLogger(__name__)

RECONNECTS = RetryPauses(first_s=0.1, longest_s=0.5, stable_s=1.0)
"""Delays of reconnects, short because trying a socket without a listener is cheap."""

CONFIRMS_AT_ONCE = 8
_ALIVE = frozenset({"running", "paused"})


class RuntimeListener(Protocol):
    """What else follows from the runtime."""

    def runtime_returned(self) -> None:
        """Act when the runtime is listed for the first time after it was unavailable."""

    def event_received(self, event: RuntimeEvent) -> None:
        """Act on an event of any instance."""

    def engine_died(self, engine: Engine, exit_code: int | None) -> None:
        """Act when an engine has ended by itself."""


class RuntimeSync:
    """Synchronisation that adopts running engines and removes dead ones.

    An instance missing from a list is looked up by its id before it counts as gone: a list may be
    older than an event, and nothing is concluded while the runtime is unavailable.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        fleet: Fleet,
        roster: Roster,
        events: EventLog,
        around: Surroundings,
        resync_s: float,
        clock: Clock,
        listener: RuntimeListener,
    ) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._roster = roster
        self._events = events
        self._around = around
        self._remembered: dict[str, Mapping[str, Any]] = {}  # facts of an earlier server
        self._resync_s = resync_s
        self._now, self._now_s = clock.now, clock.now_s
        self._listener = listener
        self._touched: dict[str, float] = {}
        self._gone: dict[str, float] = {}
        self.starting: set[str] = set()
        """Names of instances that the provisioner is starting; it adds them when they answer."""
        self.stopping: set[str] = set()
        """Ids of instances that are being removed, whose end is expected."""
        self._doubted: set[str] = set()
        self._listed = anyio.Event()
        self._relist = anyio.Event()

    async def run(self) -> None:
        """Run until cancelled, reconnecting whenever the runtime becomes unavailable.

        An error that does not come from the runtime is raised; call it again then. Nothing is
        decided before the next list.
        """
        try:
            await keep_running(
                "runtime events",
                self._follow_once,
                every_s=RECONNECTS.first_s,
                pauses=RECONNECTS,
                retries=TouchlineError,
                report=lambda _name, error, *_: self._record_unavailable(str(error)),
            )
        except Exception as error:
            self._record_unavailable(f"its events cannot be processed: {describe_error(error)}")
            raise

    async def _follow_once(self) -> None:
        async with self._runtime.watch() as events:
            await self.list_once()
            await self._follow(events)
        log.info("Events of the runtime may have been lost: listing again")

    async def first_list(self, within_s: float) -> None:
        """Wait until the runtime has been listed, or for `within_s`."""
        with anyio.move_on_after(within_s):
            await self._listed.wait()

    def list_soon(self) -> None:
        """Request a list, because the known state may be wrong."""
        self._relist.set()

    async def list_once(self) -> None:
        """List and apply the result. Raises RuntimeUnavailable."""
        asked_s = self._now_s()
        shown = {instance.id: instance for instance in await self._runtime.list()}
        await self._remove_missing(shown, asked_s)
        now = self._now()
        for instance in shown.values():
            if self._gone.get(instance.id, -1.0) >= asked_s or instance.name in self.starting:
                continue
            if instance.id in self._gone:
                # Either it was restarted, or this list is older than its end: look it up.
                await self._look_up(instance.id)
                continue
            self._apply_instance(instance, now)
        for reference in sorted(self._doubted):
            await self._look_up(reference)
            self._doubted.discard(reference)
        self._touched = {k: at for k, at in self._touched.items() if at >= asked_s}
        self._gone = {
            k: at for k, at in self._gone.items() if k in shown or at >= asked_s - self._resync_s
        }
        fresh = not self._fleet.freshness.is_current
        self._fleet.freshness.listed(self._now_s())
        if fresh:
            self._listener.runtime_returned()
            self._record_first_list(len(shown))
            self._listed.set()
        self._fleet.plan_outdated.mark()

    def remember(self, facts: Mapping[str, Mapping[str, Any]]) -> None:
        """Restore the facts of an earlier server's engines; its streams must be in the fleet.

        Call it once, before or after the first list, with `record_is_read` already set.
        """
        self._remembered = dict(facts)
        now_s = self._now_s()
        for engine in list(self._fleet.managed()):
            if engine.id in facts:
                engine = complete_from_record(engine, facts[engine.id])  # noqa: PLW2901
            if engine.id in self._fleet.unread:
                # The idle time is unknown and counts from now.
                started = self._fleet.started_on(engine.id)
                engine = replace(engine, idle_since_s=None if started else now_s)  # noqa: PLW2901
            self._fleet.put(engine)
        self._fleet.unread.clear()
        if self._fleet.freshness.is_current:
            self._settle_record()
        self._fleet.plan_outdated.mark()

    def doubt(self, reference: str, reason: str) -> None:
        """Look up an instance whose start or stop has an unknown result, before any decision."""
        self._doubted.add(reference)
        self._record_unavailable(reason)
        self.list_soon()

    # ----------------------------------------------------------------------- external changes

    def added(self, engine: Engine, instance: Instance) -> None:
        """Add an engine that the provisioner has started."""
        self._touched[engine.id] = self._now_s()
        self._fleet.seen[engine.id] = instance
        self._fleet.put(engine)

    def removed(self, instance_id: str) -> None:
        """Record the removal of an instance, which earlier list requests still return."""
        self._gone[instance_id] = self._now_s()
        self._fleet.others.pop(instance_id, None)

    # --------------------------------------------------------------- internals

    async def _follow(self, events: AsyncIterator[RuntimeEvent]) -> None:
        """Apply events and lists until either reports that the runtime is unavailable."""
        failures: list[Exception] = []

        async def list_periodically() -> None:
            try:
                while True:
                    self._relist = anyio.Event()
                    # Randomised, to avoid synchrony with other periodic tasks.
                    pause_s = self._resync_s * random.uniform(0.8, 1.0)
                    with anyio.move_on_after(pause_s):
                        await self._relist.wait()
                    await self.list_once()
            except Exception as error:  # noqa: BLE001  (raised below, outside the group)
                failures.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(list_periodically)
            try:
                async for event in events:
                    self._apply(event)
            except Exception as error:  # noqa: BLE001  (raised below, outside the group)
                failures.append(error)
            tasks.cancel_scope.cancel()
        if failures:
            raise failures[0]

    async def _remove_missing(self, shown: Mapping[str, Instance], asked_s: float) -> None:
        ours = [engine.id for engine in self._fleet.managed()]
        missing = [
            instance_id
            for instance_id in {*ours, *self._fleet.others, *self._roster.owners_of_ports()}
            if (instance_id not in shown or shown[instance_id].state not in _ALIVE)
            and self._touched.get(instance_id, -1.0) < asked_s
        ]
        limiter = anyio.CapacityLimiter(CONFIRMS_AT_ONCE)
        failures: list[Exception] = []

        async def confirm(instance_id: str) -> None:
            try:
                async with limiter:
                    await self._look_up(instance_id)
            except Exception as error:  # noqa: BLE001  (raised below, outside the group)
                failures.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for instance_id in sorted(missing):
                tasks.start_soon(confirm, instance_id)
        if failures:
            raise failures[0]

    async def _look_up(self, instance_id: str) -> None:
        """Update one instance to its current state."""
        try:
            instance = await self._runtime.inspect(instance_id)
        except InstanceNotFound:
            self._handle_end(instance_id, None)
            self._fleet.others.pop(instance_id, None)
            return
        if instance.name not in self.starting:
            self._apply_instance(instance, self._now())

    def _apply_instance(self, instance: Instance, now: datetime) -> None:
        if instance.id in self.stopping:
            return
        if instance.state not in _ALIVE:
            self._handle_end(instance.id, instance.exit_code)
            self._fleet.others[instance.id] = instance
            return
        self._gone.pop(instance.id, None)
        known = self._fleet.find(instance.id)
        if known is not None and not known.external:
            self._fleet.seen[instance.id] = instance
            self._update_known(known, instance, now)
            return
        facts = self._remembered.get(instance.id, {})
        engine = engine_of(instance, self._around, facts=facts, now=now, now_s=self._now_s())
        if engine is None:
            if is_engine(instance.labels) and instance.id not in self._fleet.others:
                log.warning("%s is ignored: none of its ports can be reached", instance.name)
            self._fleet.others[instance.id] = instance
            return
        self._fleet.others.pop(instance.id, None)
        self._fleet.seen[instance.id] = instance
        self._roster.adopt(engine, instance)
        if self._fleet.started_on(engine.id):
            engine = replace(engine, idle_since_s=None)
        if not self._fleet.record_is_read:
            self._fleet.unread.add(engine.id)
        self._fleet.put(engine)
        self._fleet.plan_outdated.mark()

    def _update_known(self, known: Engine, instance: Instance, now: datetime) -> None:
        changes: dict[str, Any] = {"last_seen": now, "paused": instance.state == "paused"}
        if known.container_http_port is not None:
            found = addresses_of(instance, known.container_http_port, self._around)
            if found is not None and (found.api_host != known.vpn_container):
                changes |= asdict(found)
        self._fleet.put(replace(known, **changes))

    def _handle_end(self, instance_id: str, exit_code: int | None) -> None:
        """Handle an instance that no longer runs."""
        self._roster.release_ports(instance_id)
        engine = self._fleet.find(instance_id)
        if engine is None or engine.external:
            return
        now_s = self._gone[instance_id] = self._now_s()
        lost = self._roster.take_out(instance_id, "engine_died")
        self._roster.forget(instance_id)
        if instance_id not in self.stopping:
            self._listener.engine_died(engine, exit_code)
            how = "is gone" if exit_code is None else f"ended with exit code {exit_code}"
            self._events.record(
                "engine",
                "failed",
                f"Engine {engine.name} {how}; {lost} streams on it have ended",
                container_id=instance_id,
                name=engine.name,
                exit_code=exit_code,
                ran_s=round(now_s - engine.seen_since_s, 3),
                streams=lost,
            )
        self._fleet.plan_outdated.mark()

    def _apply(self, event: RuntimeEvent) -> None:
        self._listener.event_received(event)
        instance_id = event.instance_id
        if event.kind in {"died", "removed"}:
            self._gone[instance_id] = self._now_s()
        if event.kind == "died":
            self._fleet.flights.instance_died(event.name, event.exit_code)
            self._died(event)
        elif event.kind == "removed":
            self._handle_end(instance_id, None)
            self._fleet.others.pop(instance_id, None)
            self._fleet.plan_outdated.mark()
        elif event.kind == "started":
            if event.name not in self.starting and self._fleet.find(instance_id) is None:
                self.list_soon()
        elif event.kind in {"paused", "unpaused"}:
            paused = event.kind == "paused"
            health = {"health": "unhealthy", "unhealthy_since_s": self._now_s()} if paused else {}
            if self._fleet.change(instance_id, paused=paused, **health) is not None:
                self._fleet.plan_outdated.mark()

    def _died(self, event: RuntimeEvent) -> None:
        if event.instance_id in self.stopping:
            return
        other = self._fleet.others.get(event.instance_id)
        if other is not None:
            self._fleet.others[event.instance_id] = replace(other, state="exited")
        known = self._fleet.find(event.instance_id) is not None
        self._handle_end(event.instance_id, event.exit_code)
        if known:
            self.list_soon()  # the plan removes its remains once they are listed

    def _record_first_list(self, shown: int) -> None:
        """Handle the first list of the runtime, or the first after it was unavailable."""
        engines = len(self._fleet.managed())
        if self._fleet.record_is_read:
            self._settle_record()
        self._events.record(
            "system",
            "connected",
            f"The {self._runtime.kind} runtime has been listed: {engines} engines run",
            runtime=self._runtime.kind,
            engines=engines,
            instances=shown,
        )

    def _settle_record(self) -> None:
        self._roster.settle(self._remembered)
        self._remembered.clear()

    def _record_unavailable(self, reason: str) -> None:
        if self._fleet.freshness.lost(self._now_s(), reason):
            log.warning(
                "The runtime cannot be reached: no engine is started or removed until it is"
                " available again (%s)",
                reason,
            )
            self._events.record(
                "system",
                "disconnected",
                "The runtime cannot be reached: engines keep running, their last known state"
                " is shown, and nothing is started or removed until it is available again"
                f" ({reason})",
                runtime=self._runtime.kind,
                reason=reason,
            )
            self._fleet.engines_changed.mark()
            self._fleet.plan_outdated.mark()
