"""Supervision of long-lived tasks: a crash becomes an event, an alert and a later retry.

No error of one task, camera, engine or viewer ends the process, a half, or the work on all others.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup
from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER
from touchline.core.errors import TouchlineError
from touchline.core.events.kinds import EventCategory
from touchline.core.metrics import Metrics
from touchline.core.tasks import keep_running, keep_trying

log = logging.getLogger(__name__)

FAILS_FOR_S = 60.0
"""Work without a failure for this long counts as working; the longest retry pause is half of it."""


@with_config(ANSWER)
class ReadinessReason(TypedDict):
    """A reason for not being ready."""

    code: str
    message: str


class Supervisor:
    """Runs work that must survive its own failures.

    `failing` has the current failures, for readiness. A series of failures is recorded as one event
    at its start, one at each doubling and one at its end. Expected errors, such as a runtime that
    cannot be reached, are reported where they occur; here they only delay the next attempt.
    """

    def __init__(
        self, record: Callable[..., None], metrics: Metrics, *, half: str = "engine"
    ) -> None:
        """Record events with `record`; `half` names the half of the server in the metric."""
        self._record_event = record
        self._failures = metrics.counter(
            f"touchline_{half}_task_failures",
            f"Unexpected failures of background tasks of the {half} half, by task.",
            ["task"],
        )
        self._failing: dict[str, tuple[float, str]] = {}  # by task: time and reason

    @property
    def failing(self) -> dict[str, str]:
        """Last error of each repeated task that currently fails, by name."""
        since_s = anyio.current_time() - FAILS_FOR_S
        return {name: why for name, (at_s, why) in self._failing.items() if at_s >= since_s}

    def reasons(self) -> list[ReadinessReason]:
        """Return what fails now as reasons of readiness."""
        return [
            {"code": "task_failing", "message": f"{task} fails and is retried: {why}"}
            for task, why in self.failing.items()
        ]

    async def keep(self, name: str, once: Callable[[], Awaitable[Any]], *, every_s: float) -> None:
        """Repeat `once` until cancelled; see `keep_running`."""
        await keep_running(
            name,
            once,
            every_s=every_s,
            on_failure=self._handle_failure,
            on_recovery=self._handle_recovery,
        )

    async def keep_until_done(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        """Run `work` until it returns, with retries after failures; see `keep_trying`."""
        await keep_trying(
            name, work, on_failure=self._handle_failure, on_recovery=self._handle_recovery
        )

    def note(self, what: str, error: Exception, *, about: str = "", **ids: str) -> None:
        """Log and record an unexpected failure of `what`. Never raises.

        Call it where work that is done once, or for one engine of many (`about` says which),
        continues without the failed part.
        """
        log.error("%s failed unexpectedly %s", what, about, exc_info=error)
        try:
            self._failures.labels(what).inc()
            told = f"{what} failed unexpectedly{about and f' for {about}'}: {describe_error(error)}"
            self._record("failed", told, what, **ids)
        except Exception:
            log.exception("The failure could not be recorded")

    async def guard(self, what: str, work: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Run `work` once; an error is recorded instead of raised."""
        try:
            await work(*args)
        except Exception as error:  # noqa: BLE001  (one failure must not end other work)
            self.note(what, error)

    def _handle_failure(self, name: str, error: Exception, failures: int, pause_s: float) -> None:
        if isinstance(error, TouchlineError):
            return
        self._failing[name] = anyio.current_time(), describe_error(error)
        self._failures.labels(name).inc()
        if failures & (failures - 1) == 0:  # 1, 2, 4, 8 …: thousands of failures are a dozen events
            self._record(
                "failed",
                f"{name} failed {failures} times in a row and is retried in {pause_s:.1f} s:"
                f" {describe_error(error)}",
                name,
                failures=failures,
            )

    def _handle_recovery(self, name: str, failures: int) -> None:
        if self._failing.pop(name, None) is None:
            return
        self._record("recovered", f"{name} recovered after {failures} failures", name)

    def _record(self, category: EventCategory, message: str, task: str, **details: Any) -> None:
        self._record_event("health", category, message, task=task, **details)


class Tasks:
    """Starts tasks that cannot end each other: an error of one is only recorded.

    Every task that lives as long as the server is started here. Task groups elsewhere only wait for
    the parts of one operation.
    """

    def __init__(self, group: TaskGroup, supervisor: Supervisor) -> None:
        self._group = group
        self._supervisor = supervisor

    def start_soon(self, work: Callable[..., Awaitable[Any]], *args: Any, name: str) -> None:
        """Run `work` once."""
        self._group.start_soon(self._supervisor.guard, name, work, *args, name=name)

    def keep(self, name: str, once: Callable[[], Awaitable[Any]], *, every_s: float) -> None:
        """Repeat `once` until shutdown."""
        self._group.start_soon(partial(self._supervisor.keep, name, once, every_s=every_s))

    def keep_until_done(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        """Run `work` until it returns, with retries after failures."""
        self._group.start_soon(self._supervisor.keep_until_done, name, work, name=name)


@asynccontextmanager
async def open_tasks(supervisor: Supervisor) -> AsyncIterator[Tasks]:
    """Run tasks during the block; cancel them at its end."""
    async with anyio.create_task_group() as group:
        yield Tasks(group, supervisor)
        group.cancel_scope.cancel()


def describe_error(error: BaseException) -> str:
    """Describe an error in one line; for a group, its first error."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TouchlineError):
        return error.message
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
