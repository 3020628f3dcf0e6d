"""Reconciler that brings the fleet to the planned state: observe, plan, act.

All starts and removals go through a single path each.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

from touchline.engines.control.actions import Plan, RemoveDead, Stop
from touchline.engines.control.answers import RemovedInstance
from touchline.engines.control.executor import PlanExecutor
from touchline.engines.control.journal import PlanJournal
from touchline.engines.control.observation import Observed, Starting
from touchline.engines.control.plan import Policy, plan, plan_without_record, target_of
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.control.retries import StartRetries
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.record import record_unread
from touchline.engines.model.labels import is_engine
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.provisioning.enginefacts import FleetView

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
        view: FleetView,
        policy: Policy,
        retries: StartRetries,
        executor: PlanExecutor,
        reprovision: Reprovision,
        journal: PlanJournal,
        now_s: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._view = view
        self._policy = policy
        self._retries = retries
        self._executor = executor
        self._reprovision = reprovision
        self._journal = journal
        self._now_s = now_s
        self._demand: int | None = None

    @property
    def demand(self) -> int | None:
        """Demand set by `POST /scale`; None if it was never set."""
        return self._demand

    def set_demand(self, demand: int) -> None:
        """Set the number of engines that clients want, for the next pass."""
        self._demand = demand

    @property
    def target(self) -> int:
        """Number of engines wanted, within the limits of the policy."""
        return target_of(self._policy, self.demand)

    async def pass_and_wait(self) -> None:
        """Reconcile once, and wait until the next pass is due."""
        began_s = time.perf_counter()
        seen = self._fleet.plan_outdated.version
        self.once()
        took_s = time.perf_counter() - began_s
        with anyio.move_on_after(max(TICK_S, took_s / MOST_OF_A_CORE)):
            await self._fleet.plan_outdated.wait(seen)
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
        self._journal.record(made, took_s=time.perf_counter() - began_s)
        self._executor.begin(made)
        self._retries.replacements.engines_observed(observed.engines)
        self._reprovision.once()
        return made

    def observe(self, *, collect: bool = False) -> Observed:
        """Return a snapshot of everything that the plan depends on, from memory."""
        return Observed(
            reachable=self._fleet.freshness.is_current,
            engines=self._view.engines(),
            dead=tuple(
                (instance.id, instance.name)
                for instance in self._fleet.others.values()
                if instance.state in {"exited", "created"}
                and self._executor.may_remove(instance.id)
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
            vpns=self._view.vpns(),
            demand=self.demand,
            start_limit=self._retries.start_limit(),
            rounds=self._retries.replacements.rounds,
            may_replace=self._retries.may_replace(),
            collect=collect,
        )

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
        await self._executor.removed({each["container_id"] for each in removed}, within_s=within_s)
        return removed
