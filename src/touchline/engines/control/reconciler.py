"""Reconciler that brings the fleet to the planned state: observe, plan, act.

All starts and removals go through a single path each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio
from anyio.abc import TaskGroup

from touchline.core.errors import TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Changed
from touchline.engines.control.actions import (
    BACKS_OFF,
    Action,
    Drain,
    Plan,
    RemoveDead,
    Start,
    Stop,
)
from touchline.engines.control.answers import RemovedInstance
from touchline.engines.control.observation import EngineFacts, Observed, Starting
from touchline.engines.control.plan import Policy, plan, plan_without_record
from touchline.engines.control.replacements import Replacements
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.control.retries import Backoff
from touchline.engines.control.scaling_events import ScalingEvents
from touchline.engines.control.selection import select
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.flights import Flight
from touchline.engines.fleet.record import record_unread
from touchline.engines.model.clock import Clock
from touchline.engines.model.labels import is_engine
from touchline.engines.model.model import Engine
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.provisioning.breaker import Breaker, Trial
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover
from touchline.engines.vpn.facts import VpnView

log = logging.getLogger(__name__)

TICK_S = 1.0
"""Interval of the reconciliation in seconds.

Time alone changes the plan: a grace period ends, a breaker may be tried.
"""

GATHER_S = 0.005
"""Seconds for which notifications are collected before a pass."""

MOST_OF_A_CORE = 0.1
"""Maximum share of a core for observation.

A large fleet is observed less often.
"""


class Reconciler:
    """Level-triggered reconciler, which acts on the current state and not on events."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        provisioner: Provisioner,
        remover: Remover,
        vpns: VpnView,
        breakers: Mapping[str, Breaker],
        replacements: Replacements,
        events: EventLog,
        metrics: Metrics,
        policy: Policy,
        replacement_cooldown_s: float,
        reprovision: Reprovision,
        save_breakers: Callable[[], None],
        wakeup: Changed,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._provisioner = provisioner
        self._remover = remover
        self._vpns = vpns
        self._breakers = breakers
        self._replacements = replacements
        self._scaling_events = ScalingEvents(events, fleet, least=policy.least)
        self._events = events
        self._policy = policy
        self._replacement_cooldown_s = replacement_cooldown_s
        self._reprovision = reprovision
        self._save_breakers = save_breakers
        self._supervisor = supervisor
        self._now, self._now_s = clock.now, clock.now_s
        self.demand: int | None = None
        """Demand set by `POST /scale`; None if it was never set."""
        self._backoff = Backoff()
        self._replace_not_before_s = 0.0
        self._removing: set[str] = set()
        self._retry_at_s: dict[str, float] = {}
        self._wakeup = wakeup
        self._tasks: TaskGroup | None = None
        self._took = metrics.histogram(
            "touchline_reconcile_seconds",
            "Duration of observing and planning.",
            buckets=(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
        )
        self._actions = metrics.counter(
            "touchline_reconcile_actions", "Decisions by kind.", ["kind"]
        )

    def wake(self) -> None:
        """Trigger a pass soon, after a change."""
        self._wakeup.mark()

    async def run(self) -> None:
        """Run until cancelled.

        A pass that fails does not affect the actions of earlier ones.
        """
        async with anyio.create_task_group() as self._tasks:
            await self._supervisor.keep("fleet reconciler", self._pass, every_s=0.0)

    async def _pass(self) -> None:
        began_s = time.perf_counter()
        seen = self._wakeup.version
        self.once()
        took_s = time.perf_counter() - began_s
        with anyio.move_on_after(max(TICK_S, took_s / MOST_OF_A_CORE)):
            await self._wakeup.wait(seen)
        await anyio.sleep(max(GATHER_S, took_s))

    def once(self, *, collect: bool = False) -> Plan:
        """Observe, plan, and begin the plan's actions.

        They continue in the background.
        """
        began_s = time.perf_counter()
        now_s = self._now_s()
        observed = self.observe(collect=collect)
        if self._fleet.record_is_read:
            made = plan(observed, self._policy, now_s)
        else:
            made = plan_without_record(observed, self._policy, now_s)
        self._took.observe(time.perf_counter() - began_s)
        self._scaling_events.record(made)
        for action in made.actions:
            try:
                self._begin(action)
            except Exception as error:  # noqa: BLE001  (other actions are still begun)
                self._supervisor.note(f"engine {type(action).__name__.lower()}", error)
        self._reprovision.once()
        return made

    def observe(self, *, collect: bool = False) -> Observed:
        """Return a snapshot of everything that the plan depends on, from memory."""
        now_s = self._now_s()
        vpns = self._vpns.facts()
        return Observed(
            reachable=self._fleet.freshness.is_current,
            engines=tuple(self._facts(engine, now_s) for engine in self._fleet.ours()),
            dead=tuple(
                (instance.id, instance.name)
                for instance in self._fleet.others.values()
                if instance.state in {"exited", "created"}
                and instance.id not in self._removing
                and self._retry_at_s.get(instance.id, 0.0) <= now_s
                and is_engine(instance.labels)
            ),
            starting=tuple(
                Starting(
                    flight.vpn,
                    flight.forwarded,
                    spoken_for=flight.for_client and not flight.is_left,
                )
                for flight in self._fleet.flights
            ),
            stopping=len(self._fleet.going),
            vpns=vpns,
            demand=self.demand,
            start_limit=self._start_limit(now_s),
            rounds=self._replacements.rounds,
            may_replace=now_s >= self._replace_not_before_s
            and self._breakers["replacement"].allows(now_s),
            collect=collect,
        )

    def select(self, most_streams: int) -> Engine | None:
        """Return the engine for a new stream; None if none is free."""
        if not self._fleet.freshness.is_current:
            return None
        now_s = self._now_s()
        lost = {vpn.name for vpn in self._vpns.facts() if vpn.lost}
        facts = (self._facts(engine, now_s) for engine in self._fleet.ours())
        return self._fleet.find(select(facts, unusable_vpns=lost, most=most_streams))

    def spare(self) -> Engine | None:
        """Return an unused, ready engine with the current configuration."""
        return self.select(1)

    async def collect_garbage(self, *, within_s: float) -> list[RemovedInstance]:
        """Reconcile now, remove engines that are idle for too long, and return what was removed.

        Raises RuntimeUnavailable. What takes longer than `within_s` continues in the background.
        """
        if not self._fleet.freshness.is_current:
            raise RuntimeUnavailable(
                "The runtime cannot be reached. Nothing was removed; retry when it is"
                " available again."
            )
        if not self._fleet.record_is_read:
            raise record_unread()
        made = self.once(collect=True)
        removed: list[RemovedInstance] = []
        for action in made.actions:
            if isinstance(action, Stop):
                removed.append(
                    {"container_id": action.engine_id, "reason": action.reason, "why": action.why}
                )
            elif isinstance(action, RemoveDead):
                why = f"{action.name} had already ended"
                removed.append({"container_id": action.instance_id, "reason": "dead", "why": why})
        ids = {each["container_id"] for each in removed}
        with anyio.move_on_after(within_s):
            while ids & self._removing:
                await self._fleet.engines_changed.wait(self._fleet.engines_changed.version)
        return removed

    # -------------------------------------------------------------- observation

    def _facts(self, engine: Engine, now_s: float) -> EngineFacts:
        return EngineFacts(
            id=engine.id,
            name=engine.name,
            health=engine.health,
            unhealthy_since_s=engine.unhealthy_since_s,
            streams=self._fleet.streams_on(engine.id),
            leased=self._fleet.is_kept(engine.id, now_s),
            idle_since_s=engine.idle_since_s,
            draining=engine.draining,
            vpn=engine.vpn_container,
            joined=self._vpns.is_joined(engine),
            forwarded=engine.forwarded,
            # Engines are replaced on request, not when the configuration is saved.
            current=engine.id not in self._reprovision.outdated,
            asked_for=self._fleet.is_asked_to_go(engine.id),
            seen_since_s=engine.seen_since_s,
        )

    def _start_limit(self, now_s: float) -> int | None:
        if now_s < self._backoff.not_before_s:
            return 0
        if self._replacements.block_starts(now_s):
            return 0
        general = self._breakers["general"]
        if not general.allows(now_s):
            return 0
        return 1 if general.state(now_s) == "half_open" else None

    # ----------------------------------------------------------------- actions

    def _begin(self, action: Action) -> None:
        self._actions.labels(type(action).__name__.lower()).inc()
        if isinstance(action, Start):
            self._begin_start(action)
        elif isinstance(action, Stop):
            self._begin_stop(action)
        elif isinstance(action, RemoveDead):
            self._begin_removal(action)
        else:
            self._mark(action)

    def _begin_start(self, action: Start) -> None:
        now_s = self._now_s()
        if action.replaces is not None:
            self._replace_not_before_s = now_s + self._replacement_cooldown_s
        flight = self._fleet.flights.board(action.vpn, forwarded=action.forwarded, for_client=False)
        trial = self._breakers["general"].trying(now_s)
        self._run("engine start", self._start, flight, action, trial)

    async def _start(self, flight: Flight, action: Start, trial: Trial | None) -> None:
        replaces = action.replaces is not None
        breaker = self._breakers["replacement"]
        try:
            engine = await self._provisioner.start_boarded(flight, why=action.why)
        except Exception as error:  # noqa: BLE001  (one start's failure ends no other)
            # The provisioner has reported it; here it only determines the next attempt.
            self._backoff.failed(self._now_s())
            if not isinstance(error, TouchlineError):
                self._supervisor.note("engine start", error)
            if replaces and not isinstance(error, RuntimeUnavailable):
                opened = breaker.failed(self._now(), self._now_s())
                self._note_breaker("replacement", opened=opened)
        else:
            self._backoff.worked()
            self._replacements.engine_started(engine)
            if replaces:
                breaker.worked(self._now())
                self._save_breakers()
        finally:
            self._breakers["general"].end_trial(trial)
            self._fleet.flights.leave(flight)
            self.wake()

    def _note_breaker(self, name: str, *, opened: bool) -> None:
        self._save_breakers()
        if opened:
            self._events.record(
                "health",
                "failed",
                f"The {name} circuit breaker has opened: no engine is started until it closes",
                breaker=name,
                failure_count=self._breakers[name].failures,
            )

    def start_anew(self) -> None:
        """Discard all recorded failures, after an operator has resolved the cause."""
        self._replacements.forget()
        self._backoff.worked()

    def _begin_stop(self, action: Stop) -> None:
        engine = self._fleet.find(action.engine_id)
        if engine is not None and action.reason in BACKS_OFF:
            self._replacements.engine_leaves(engine, action.reason, action.why)
        self._removing.add(action.engine_id)
        self._run("engine removal", self._remove, action.engine_id, action.why, action.reason)

    def _begin_removal(self, action: RemoveDead) -> None:
        self._removing.add(action.instance_id)
        self._run(
            "engine removal", self._remove, action.instance_id, "it had already ended", "dead"
        )

    async def _remove(self, instance_id: str, why: str, reason: str) -> None:
        try:
            await self._remover.remove(instance_id, why=why, reason=reason)
        except Exception as error:  # noqa: BLE001  (other removals continue)
            if isinstance(error, TouchlineError):
                log.warning("%s could not be removed yet: %s", instance_id[:12], error.message)
            else:
                self._supervisor.note("engine removal", error, container_id=instance_id)
            self._retry_at_s[instance_id] = self._now_s() + TICK_S
        else:
            self._retry_at_s.pop(instance_id, None)
        finally:
            self._removing.discard(instance_id)
            self._fleet.engines_changed.mark()
            self.wake()

    def _mark(self, action: Drain) -> None:
        engine = self._fleet.find(action.engine_id)
        if engine is None:
            return
        if action.reason == "unhealthy":
            # Its replacement may become unhealthy as well before this one is removed.
            self._replacements.engine_leaves(engine, "unhealthy", action.why)
        self._fleet.put(replace(engine, draining=action.reason))
        self._events.record(
            "engine",
            "draining" if action.reason is not None else "recovered",
            action.why,
            container_id=engine.id,
            name=engine.name,
            reason=action.reason,
        )

    def _run(self, what: str, work: Callable[..., Awaitable[Any]], *args: Any) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(self._supervisor.guard, what, work, *args)
