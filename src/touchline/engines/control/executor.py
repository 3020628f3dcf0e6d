"""Execution of a plan's actions in the background."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from touchline.core.errors import TouchlineError
from touchline.core.supervision import Supervisor
from touchline.engines.control.actions import Action, Drain, Plan, RemoveDead, Start, Stop
from touchline.engines.control.retries import StartRetries
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.flights import Flight
from touchline.engines.provisioning.breaker import Trial
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds after which a removal that failed is tried again."""


class PlanExecutor:
    """Executor of plans. An action that fails affects neither the others nor the next plan."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        provisioner: Provisioner,
        remover: Remover,
        retries: StartRetries,
        supervisor: Supervisor,
        now_s: Callable[[], float],
    ) -> None:
        self._fleet = fleet
        self._provisioner = provisioner
        self._remover = remover
        self._retries = retries
        self._supervisor = supervisor
        self._now_s = now_s
        self._removing: set[str] = set()
        self._retry_at_s: dict[str, float] = {}
        self._tasks: TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Execute actions within this scope; those still running at its end are cancelled."""
        async with anyio.create_task_group() as self._tasks:
            try:
                yield
            finally:
                self._tasks.cancel_scope.cancel()

    def begin(self, made: Plan) -> None:
        """Begin the actions of a plan."""
        for action in made.actions:
            try:
                self._begin(action)
            except Exception as error:  # noqa: BLE001  (the others are for other engines)
                self._supervisor.note(f"engine {type(action).__name__.lower()}", error)

    def may_remove(self, instance_id: str) -> bool:
        """Return whether an instance is not being removed, and no removal has just failed."""
        if instance_id in self._removing:
            return False
        return self._retry_at_s.get(instance_id, 0.0) <= self._now_s()

    async def removed(self, instance_ids: set[str], *, within_s: float) -> None:
        """Wait until none of these is being removed any more, or for `within_s`."""
        with anyio.move_on_after(within_s):
            while instance_ids & self._removing:
                await self._fleet.engines_changed.wait(self._fleet.engines_changed.version)

    def _begin(self, action: Action) -> None:
        if isinstance(action, Start):
            self._begin_start(action)
        elif isinstance(action, Stop):
            self._begin_stop(action)
        elif isinstance(action, RemoveDead):
            self._begin_removal(action.instance_id, "it had already ended", "dead")
        else:
            self._drain(action)

    def _begin_start(self, action: Start) -> None:
        trial = self._retries.begin(replaces=action.replaces is not None)
        flight = self._fleet.flights.register_flight(
            action.vpn, forwarded=action.forwarded, for_client=False
        )
        self._run("engine start", self._start, flight, action, trial)

    async def _start(self, flight: Flight, action: Start, trial: Trial | None) -> None:
        replaces = action.replaces is not None
        try:
            engine = await self._provisioner.start_boarded(
                flight, why=action.why, replaces=action.replaces
            )
        except Exception as error:  # noqa: BLE001  (one start's failure ends no other)
            # The provisioner has reported it; here it only determines the next attempt.
            if not isinstance(error, TouchlineError):
                self._supervisor.note("engine start", error)
            self._retries.failed(error, replaces=replaces)
        else:
            self._retries.worked(engine, replaces=replaces)
        finally:
            self._retries.end(trial)
            self._fleet.flights.leave(flight)
            self._fleet.plan_outdated.mark()

    def _begin_stop(self, action: Stop) -> None:
        engine = self._fleet.find(action.engine_id)
        if engine is not None:
            self._retries.engine_leaves(engine, action.reason, action.why)
        self._begin_removal(action.engine_id, action.why, action.reason)

    def _begin_removal(self, instance_id: str, why: str, reason: str) -> None:
        self._removing.add(instance_id)
        self._run("engine removal", self._remove, instance_id, why, reason)

    async def _remove(self, instance_id: str, why: str, reason: str) -> None:
        try:
            await self._remover.remove(instance_id, why=why, reason=reason)
        except Exception as error:  # noqa: BLE001  (one removal's failure ends no other)
            if isinstance(error, TouchlineError):
                log.warning("%s could not be removed yet: %s", instance_id[:12], error.message)
            else:
                self._supervisor.note("engine removal", error, container_id=instance_id)
            self._retry_at_s[instance_id] = self._now_s() + RETRY_S
        else:
            self._retry_at_s.pop(instance_id, None)
        finally:
            self._removing.discard(instance_id)
            self._fleet.engines_changed.mark()
            self._fleet.plan_outdated.mark()

    def _drain(self, action: Drain) -> None:
        engine = self._fleet.find(action.engine_id)
        if engine is None:
            return
        if action.reason == "unhealthy":
            # Its replacement may become unhealthy as well before this one is removed.
            self._retries.engine_leaves(engine, "unhealthy", action.why)
        self._remover.drain(engine, reason=action.reason, why=action.why)

    def _run(self, what: str, work: Callable[..., Awaitable[Any]], *args: Any) -> None:
        if self._tasks is not None:
            self._tasks.start_soon(self._supervisor.guard, what, work, *args)
