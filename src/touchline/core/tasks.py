"""Work that repeats, and the news that something changed."""

from __future__ import annotations

import asyncio
import logging
import math
import traceback
from collections.abc import Awaitable, Callable

import anyio

from touchline.backoff import RetryPauses

log = logging.getLogger(__name__)

LEAST_FAILURE_PAUSE_S = 0.05
"""Work without a pause of its own must not spin while it fails."""

OnFailure = Callable[[str, Exception, int, float], None]
"""Gets the name of the work, its error, how many failures in a row, and the pause in seconds."""

Errors = type[Exception] | tuple[type[Exception], ...]


async def keep_running(
    name: str,
    once: Callable[[], Awaitable[None]],
    *,
    every_s: float,
    longest_pause_s: float = 30.0,
    pauses: RetryPauses | None = None,
    retries: Errors = Exception,
    report: OnFailure | None = None,
    on_failure: OnFailure | None = None,
    on_recovery: Callable[[str, int], None] | None = None,
) -> None:
    """Call `once` every `every_s` seconds until cancelled; a failure is logged and slows the next.

    Calls start on a fixed grid, so they do not drift by their own duration; what a slow call missed
    is skipped, not made up for. After n failures in a row the pause is `every_s` doubled n times,
    at most `longest_pause_s` (or `every_s`, where that is longer), and a call that ran for longer
    than that before it failed begins a new row; `pauses` replaces this rule.

    Errors other than `retries` are raised. `report` is told of a failure in the place of the log,
    `on_failure` and `on_recovery` beside it; what they raise is logged.
    """
    pauses = pauses or usual_pauses(every_s, longest_pause_s)
    failures = 0
    due_s = anyio.current_time()
    while True:
        began_s = anyio.current_time()
        try:
            await once()
        except retries as error:  # the one place that outlives any failure
            failures = pauses.failures(failures, anyio.current_time() - began_s)
            pause_s = pauses.pause_s(failures)
            _tell(name, report or _say, name, error, failures, pause_s)
            if on_failure is not None:
                _tell(name, on_failure, name, error, failures, pause_s)
            due_s = anyio.current_time() + pause_s
        else:
            if failures:
                log.info("%s recovered after %d failures", name, failures)
                if on_recovery is not None:
                    _tell(name, on_recovery, name, failures)
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
    """Call `work` until it returns; each failure is treated as `keep_running` does."""
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


def usual_pauses(every_s: float, longest_pause_s: float) -> RetryPauses:
    """Return the pauses of work that is repeated every so many seconds. None is shorter."""
    first_s = 2 * max(every_s, LEAST_FAILURE_PAUSE_S)
    return RetryPauses(first_s, max(every_s, longest_pause_s), stable_s=longest_pause_s)


def next_due_s(due_s: float, now_s: float, every_s: float) -> float:
    """Return the first instant of the grid through `due_s` that is still to come."""
    if every_s <= 0:
        return now_s
    return due_s + every_s * max(1, math.floor((now_s - due_s) / every_s) + 1)


def _say(name: str, error: Exception, failures: int, pause_s: float) -> None:
    # The first failure is told in full; a repeated one in a line, or a dead camera fills the log.
    if failures == 1:
        log.error("%s failed, retrying in %.1f s", name, pause_s, exc_info=error)
    else:
        line = traceback.format_exception_only(type(error), error)[-1].strip()
        log.warning("%s failed %d times, retrying in %.1f s: %s", name, failures, pause_s, line)


def _tell(name: str, told: Callable[..., None], *args: object) -> None:
    try:
        told(*args)
    except Exception:
        log.exception("%s: its failure or recovery could not be reported", name)


class Changed:
    """Tells that what is shown is out of date: owners `mark()` it, readers wait for a version.

    Marking costs next to nothing while nobody waits, and many marks between two looks are one piece
    of news. It belongs to the event loop: mark it from there only.
    """

    def __init__(self) -> None:
        self._version = 0
        self._news: asyncio.Event | None = None

    @property
    def version(self) -> int:
        """Number of marks so far."""
        return self._version

    def mark(self) -> None:
        """Wake all waiting readers."""
        self._version += 1
        if self._news is not None:
            self._news.set()
            self._news = None

    async def wait(self, since: int) -> int:
        """Return the version as soon as it is past `since`: at once if it is already."""
        while self._version <= since:
            if self._news is None:
                self._news = asyncio.Event()  # anyio's costs five times as much to make
            await self._news.wait()
        return self._version
