"""Health checks of engines through their own API.

There is one request per engine at a time, at staggered times.
"""

from __future__ import annotations

import logging
import random
from typing import Any

from touchline.core.errors import TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor, describe_error
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import facts_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.store import Store
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine
from touchline.engines.model.schedule import Schedule
from touchline.engines.settings.tree import HealthSettings

log = logging.getLogger(__name__)

PROBES_AT_ONCE = 200
"""Maximum number of concurrent checks.

Frozen engines occupy a place until the timeout; the others must not wait for them.
"""

VERSION_TIMEOUT_S = 2.0
RETURN_PAUSE_S = 0.5
"""Pause in seconds after the return of a daemon, which needs a moment to forward ports."""

_STEP_S = 0.01


class EngineProbes:
    """Health checks of all managed engines."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        client: AceStreamClient,
        store: Store,
        events: EventLog,
        metrics: Metrics,
        supervisor: Supervisor,
        settings: HealthSettings,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._client = client
        self._store = store
        self._events = events
        self._settings = settings
        self._now, self._now_s = clock.now, clock.now_s
        self._failures: dict[str, int] = {}
        self._schedule = Schedule(
            "health check",
            self._probe,
            limit=PROBES_AT_ONCE,
            on_failure=lambda what, key, error: supervisor.note(what, error, about=key[:64]),
        )
        self._took = metrics.histogram(
            "touchline_health_check_seconds",
            "Response time of health checks.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1.5, 5.0),
        )
        self._failed = metrics.counter("touchline_health_check_failures", "Failed health checks.")

    async def run(self) -> None:
        """Run until cancelled."""
        await self._schedule.run()

    def follow(self) -> None:
        """Update the checked engines; new ones are checked at once."""
        ours = {engine.id: engine for engine in self._fleet.managed()}
        for engine_id, engine in ours.items():
            if engine_id not in self._schedule:
                new = engine.health == "unknown"
                self._schedule.put(engine_id, _STEP_S if new else self._pause_s())
        for engine_id in [each for each in self._failures if each not in ours]:
            del self._failures[engine_id]

    def answered(self, engine_id: str) -> None:
        """Record a successful answer to another request, which counts as a check."""
        if self._schedule and engine_id in self._schedule:
            self._record_success(engine_id)
            self._schedule.put(engine_id, self._pause_s())

    def begin_anew(self) -> None:
        """Discard results from the time in which the runtime was unavailable.

        Its ports may have been unavailable with it. Engines that were unhealthy are unknown until
        they are checked again, which happens at once.
        """
        self._failures.clear()
        for engine in list(self._fleet.managed()):
            if engine.health == "unhealthy" and not engine.paused:
                self._fleet.change(engine.id, health="unknown", unhealthy_since_s=None)
            if engine.id in self._schedule:
                self._schedule.put(engine.id, RETURN_PAUSE_S * random.uniform(0.5, 1.5))

    @property
    def interval_s(self) -> float:
        """Interval between two checks of an engine; longer in large fleets."""
        return max(self._settings.interval_s, len(self._schedule) / self._settings.max_probes_per_s)

    async def _probe(self, engine_id: str) -> float:
        engine = self._fleet.find(engine_id)
        if engine is None or engine.external:
            self._schedule.drop(engine_id)
            return 0.0
        began_s = self._now_s()
        try:
            await self._client.status(engine.api_url, within_s=self._settings.timeout_s)
        except Exception as error:  # noqa: BLE001  (any error is a failed check)
            self._failed.inc()
            return self._record_failure(engine_id, error)
        self._took.observe(self._now_s() - began_s)
        self._record_success(engine_id)
        if engine.version is None:
            await self._ask_version(engine)
        return self._pause_s()

    def _record_success(self, engine_id: str) -> None:
        self._failures.pop(engine_id, None)
        engine = self._fleet.find(engine_id)
        if engine is None:
            return
        now = self._now()
        changes: dict[str, Any] = {"last_health_check": now, "last_seen": now}
        if engine.health != "healthy" and not engine.paused:
            changes |= {"health": "healthy", "unhealthy_since_s": None}
        self._fleet.change(engine_id, **changes)
        if engine.health == "unhealthy" and not engine.paused:
            self._events.record(
                "health",
                "recovered",
                f"Engine {engine.name} is healthy again",
                container_id=engine_id,
                name=engine.name,
            )
        if "health" in changes:
            self._fleet.plan_outdated.mark()

    def _record_failure(self, engine_id: str, error: Exception) -> float:
        """Record a failed check, and return the seconds until the next one."""
        failures = self._failures[engine_id] = self._failures.get(engine_id, 0) + 1
        engine = self._fleet.find(engine_id)
        if engine is None:
            return 0.0
        changes: dict[str, Any] = {"last_health_check": self._now()}
        news = failures >= self._settings.failure_threshold and engine.health != "unhealthy"
        if news:
            changes |= {"health": "unhealthy", "unhealthy_since_s": self._now_s()}
        self._fleet.change(engine_id, **changes)
        if news:
            self._events.record(
                "health",
                "failed",
                f"Engine {engine.name} failed {failures} health checks in a row:"
                f" {describe_error(error)}",
                container_id=engine_id,
                name=engine.name,
                failures=failures,
                reason=error.code if isinstance(error, TouchlineError) else "unexpected",
            )
            self._fleet.plan_outdated.mark()
        # A first failure is checked again immediately, a known unhealthy engine at the usual
        # interval.
        return _STEP_S if failures < self._settings.failure_threshold else self._pause_s()

    async def _ask_version(self, engine: Engine) -> None:
        try:
            platform, version = await self._client.version(
                engine.api_url, within_s=VERSION_TIMEOUT_S
            )
        except TouchlineError:
            platform, version = None, None
        changed = self._fleet.change(engine.id, platform=platform, version=version or "unknown")
        if changed is not None:
            self._store.note_engine(changed.id, facts_of(changed))

    def _pause_s(self) -> float:
        return self.interval_s * random.uniform(0.9, 1.1)
