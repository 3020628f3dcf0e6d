"""Journal of the reconciler: events about the size of the fleet, and metrics of its passes."""

from __future__ import annotations

from collections.abc import Sequence

from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.engines.control.actions import Plan, Start
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Engine

UNWELL_SHARE = 0.3
"""Share of unhealthy engines above which an event warns."""


class PlanJournal:
    """Recorder of plans, of a high share of unhealthy engines, and of too few healthy ones.

    The latter two are recorded once, when they begin.
    """

    def __init__(
        self, events: EventLog, metrics: Metrics, fleet: Fleet, *, min_engines: int
    ) -> None:
        self._events = events
        self._fleet = fleet
        self._min_engines = min_engines
        self._warned = self._short = False
        self._took = metrics.histogram(
            "touchline_reconcile_seconds",
            "Duration of observing and planning.",
            buckets=(0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
        )
        self._actions = metrics.counter(
            "touchline_reconcile_actions", "Decisions by kind.", ["kind"]
        )

    def record(self, made: Plan, *, took_s: float) -> None:
        """Record a plan, and shortages of the fleet that have begun."""
        self._took.observe(took_s)
        for action in made.actions:
            self._actions.labels(type(action).__name__.lower()).inc()
        self._record_starts(made)
        ours = self._fleet.managed()
        self._record_unhealthy(ours)
        self._record_shortage(ours)

    def _record_starts(self, made: Plan) -> None:
        starts = sum(isinstance(action, Start) for action in made.actions)
        if starts:
            self._events.record(
                "system",
                "scaling",
                f"Starting {starts} engines (target {made.target}, usable {made.fit},"
                f" free {made.free})",
                deficit=made.deficit,
                total_running=made.running,
                usable=made.fit,
                free_count=made.free,
                target=made.target,
                starting=starts,
            )

    def _record_unhealthy(self, ours: Sequence[Engine]) -> None:
        unwell = sum(engine.health == "unhealthy" for engine in ours)
        warns = bool(ours) and unwell / len(ours) > UNWELL_SHARE
        if warns and not self._warned:
            self._events.record(
                "health",
                "warning",
                f"High proportion of unhealthy engines: {unwell}/{len(ours)} (>30%)",
                unhealthy_count=unwell,
                total_engines=len(ours),
                percentage=round(100 * unwell / len(ours), 1),
            )
        self._warned = warns

    def _record_shortage(self, ours: Sequence[Engine]) -> None:
        healthy = sum(engine.health == "healthy" for engine in ours)
        short = self._fleet.freshness.is_current and healthy < self._min_engines
        if short and not self._short and ours:
            self._events.record(
                "health",
                "insufficient_engines",
                f"{healthy} engines are healthy, minimum {self._min_engines}",
                healthy_engines=healthy,
                minimum=self._min_engines,
            )
        self._short = short
