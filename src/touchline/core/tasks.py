"""Repeated work with retries, and notification of changes."""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from touchline.backoff import RetryPauses

log = logging.getLogger(__name__)

LEAST_FAILURE_PAUSE_S = 0.05
"""Minimum pause after a failure, so that work without an interval does not spin."""
LONGEST_FAILURE_PAUSE_S = 30.0
"""Longest pause after failures of work that is repeated more often than that."""

OnFailure = Callable[[str, Exception, int, float], None]
"""Receives the task's name, its error, the failures in a row, and the pause in seconds."""

Errors = type[Exception] | tuple[type[Exception], ...]


class Keep(Protocol):
    """Repeats work: `keep_running`, or `Supervisor.keep`, which also records failures."""

    async def __call__(
        self, name: str, once: Callable[[], Awaitable[None]], /, *, every_s: float
    ) -> None:
        """Call `once` every `every_s` seconds, whatever it raises."""


async def keep_running(
    name: str,
    once: Callable[[], Awaitable[None]],
    *,
    every_s: float,
    pauses: RetryPauses | None = None,
    retries: Errors = Exception,
    report: OnFailure | None = None,
    on_failure: OnFailure | None = None,
    on_recovery: Callable[[str, int], None] | None = None,
) -> None:
    """Call `once` every `every_s` seconds until cancelled; log failures and retry later.

    Calls start on a fixed grid, so they do not drift by their own duration; starts missed by a slow
    call are skipped. After n failures in a row the pause is `every_s` doubled n times, at most
    `LONGEST_FAILURE_PAUSE_S` (or `every_s`, if that is longer), and a call that ran for longer than
    that before it failed starts a new series; `pauses` replaces this rule.

    Errors other than `retries` are raised. `report` is called with a failure instead of logging it,
    `on_failure` and `on_recovery` in addition; errors they raise are logged.
    """
    pauses = pauses or usual_pauses(every_s)
    failures = 0
    due_s = anyio.current_time()
    while True:
        began_s = anyio.current_time()
        try:
            await once()
        except retries as error:  # the one place that survives any failure
            failures = pauses.failures(failures, anyio.current_time() - began_s)
            pause_s = pauses.pause_s(failures)
            _call_back(name, report or _log_failure, name, error, failures, pause_s)
            if on_failure is not None:
                _call_back(name, on_failure, name, error, failures, pause_s)
            due_s = anyio.current_time() + pause_s
        else:
            if failures:
                log.info("%s recovered after %d failures", name, failures)
                if on_recovery is not None:
                    _call_back(name, on_recovery, name, failures)
                failures = 0
            due_s = next_due_s(due_s, anyio.current_time(), every_s)
        await anyio.sleep_until(due_s)


async def keep_trying(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    pauses: RetryPauses | None = None,
    retries: Errors = Exception,
    report: OnFailure | None = None,
    on_failure: OnFailure | None = None,
    on_recovery: Callable[[str, int], None] | None = None,
) -> None:
    """Call `work` until it returns; failures are handled as by `keep_running`."""
    with anyio.CancelScope() as trying:

        async def once() -> None:
            await work()
            trying.cancel()

        await keep_running(
            name,
            once,
            every_s=0.0,
            pauses=pauses,
            retries=retries,
            report=report,
            on_failure=on_failure,
            on_recovery=on_recovery,
        )


def usual_pauses(every_s: float) -> RetryPauses:
    """Return the pauses of work that is repeated every `every_s` seconds."""
    first_s = 2 * max(every_s, LEAST_FAILURE_PAUSE_S)
    longest_s = max(every_s, LONGEST_FAILURE_PAUSE_S)
    return RetryPauses(first_s, longest_s, stable_s=LONGEST_FAILURE_PAUSE_S)


def next_due_s(due_s: float, now_s: float, every_s: float) -> float:
    """Return the first instant on the grid through `due_s` that is in the future."""
    if every_s <= 0:
        return now_s
    return due_s + every_s * max(1, math.floor((now_s - due_s) / every_s) + 1)


def _log_failure(name: str, error: Exception, failures: int, pause_s: float) -> None:
    # Only the first failure is logged with a traceback, or a dead camera would fill the log.
    if failures == 1:
        log.error("%s failed, retrying in %.1f s", name, pause_s, exc_info=error)
    else:
        line = traceback.format_exception_only(type(error), error)[-1].strip()
        log.warning("%s failed %d times, retrying in %.1f s: %s", name, failures, pause_s, line)


def _call_back(name: str, callback: Callable[..., None], *args: object) -> None:
    try:
        callback(*args)
    except Exception:
        log.exception("%s: its failure or recovery could not be reported", name)


class Changed:
    """Signals that shown data is out of date: owners call `mark`, readers wait for a version.

    Marking costs almost nothing without waiting readers, and many marks between two reads wake a
    reader once. Mark it from the event loop only.
    """

    def __init__(self) -> None:
        self._version = 0
        self._marked: asyncio.Event | None = None

    @property
    def version(self) -> int:
        """Number of marks so far."""
        return self._version

    def mark(self) -> None:
        """Wake all waiting readers."""
        self._version += 1
        if self._marked is not None:
            self._marked.set()
            self._marked = None

    async def wait(self, since: int) -> int:
        """Return the version once it exceeds `since`, at once if it already does."""
        while self._version <= since:
            if self._marked is None:
                self._marked = asyncio.Event()  # anyio's event takes five times as long to create
            await self._marked.wait()
        return self._version
