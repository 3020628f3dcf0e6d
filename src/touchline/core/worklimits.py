"""Limits of concurrent work by kind: how much runs, how much waits, and what is refused.

Recording has priority on the machine. Other work that clients request (clips, stills, archives,
verification) runs a few at a time, in turn, whatever the number of clients.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from touchline.core import patience
from touchline.core.errors import Blocked
from touchline.core.metrics import Family, Metrics

LONGEST_WAIT_S = 60.0
"""A request that has waited this long is refused: most clients have given up by then."""


@dataclass(frozen=True)
class Budget:
    """Limits of one kind of work: how many run at once, and how many wait for their turn."""

    what: str
    at_once: int
    waiting: int
    retry_after_s: float


class WorkLimit:
    """Limits one kind of work."""

    def __init__(self, budget: Budget, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self.budget = budget
        self.running = 0
        self.waiting = 0
        self.refused = 0
        self._longest_wait_s = longest_wait_s
        self._turns = anyio.Semaphore(budget.at_once, fast_acquire=True)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn for this block. Raises Blocked if too many wait, or after too long."""
        if self.waiting >= self.budget.waiting and self.running >= self.budget.at_once:
            raise self._refusal()
        self.waiting += 1
        try:
            with patience.move_on_after(self._longest_wait_s) as limit:
                await self._turns.acquire()
        finally:
            self.waiting -= 1
        if limit.ran_out:
            raise self._refusal()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._turns.release()

    def _refusal(self) -> Blocked:
        self.refused += 1
        budget = self.budget
        return Blocked(
            f"Too many concurrent requests for {budget.what}. Try again.",
            code="too_busy",
            eta_s=budget.retry_after_s,
        )


class WorkLimits:
    """The limits of all kinds of work, by kind."""

    def __init__(self, budgets: Mapping[str, Budget]) -> None:
        self._limits = {kind: WorkLimit(budget) for kind, budget in budgets.items()}

    def __getitem__(self, kind: str) -> WorkLimit:
        return self._limits[kind]

    def count_into(self, metrics: Metrics) -> None:
        """Add the limits to the metrics, read at each rendering."""
        metrics.add_source(self._families)

    def _families(self) -> Iterable[Family]:
        label = ("kind",)
        running = Family("gauge", "touchline_work_running", "Tasks in progress", label)
        most = Family("gauge", "touchline_work_limit", "Maximum number of concurrent tasks", label)
        waiting = Family("gauge", "touchline_work_waiting", "Waiting tasks", label)
        refused = Family("counter", "touchline_work_refused", "Rejected tasks", label)
        for kind, limit in self._limits.items():
            running.set(limit.running, kind)
            most.set(limit.budget.at_once, kind)
            waiting.set(limit.waiting, kind)
            refused.set(limit.refused, kind)
        return (running, most, waiting, refused)
