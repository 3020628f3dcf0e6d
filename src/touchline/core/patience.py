"""Time limits that do not count pauses of this process.

anyio's limits only compare times. In a process that was suspended they expire before an answer that
arrived meanwhile is read. These limits count in slices: time beyond a slice between two checks was
a pause of this process, and no limit expires directly after one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio

SLICE_S = 0.25
LATE_S = 0.25
"""A check that is this much later than scheduled follows a pause."""

MOST_GRACE = 8
"""Maximum number of additional slices for a process that is late at every check."""


class Countdown:
    """The remaining time of a limit, counted check by check. Pure: the caller passes the times."""

    def __init__(self, limit_s: float, now_s: float) -> None:
        self._left_s = limit_s
        self._checked_at_s = now_s
        self._slice_s = 0.0
        self._grace = 0

    def next_s(self) -> float:
        """Return the seconds until the next check."""
        self._slice_s = SLICE_S if self._grace else min(SLICE_S, max(self._left_s, 0.0))
        return self._slice_s

    def ran_out(self, now_s: float) -> bool:
        """Count the time since the last check; return whether none is left."""
        passed_s = now_s - self._checked_at_s
        self._checked_at_s = now_s
        self._left_s -= min(passed_s, self._slice_s)
        if self._left_s > 1e-9:
            return False
        if passed_s > self._slice_s + LATE_S and self._grace < MOST_GRACE:
            self._grace += 1  # first read what has arrived meanwhile
            return False
        return True


class Alarm:
    """A timer that calls once after a number of seconds, without pauses of this process."""

    def __init__(self, limit_s: float, call: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._countdown = Countdown(limit_s, self._loop.time())
        self._timer = self._loop.call_later(self._countdown.next_s(), self._check)

    def cancel(self) -> None:
        """Cancel the call."""
        self._timer.cancel()

    def _check(self) -> None:
        if self._countdown.ran_out(self._loop.time()):
            self._call()
            return
        self._timer = self._loop.call_later(self._countdown.next_s(), self._check)


class _Limited:
    """A block with a time limit; `ran_out` says whether the limit ended it."""

    def __init__(self, limit_s: float) -> None:
        self.ran_out = False
        self._limit_s = limit_s
        self._scope = anyio.CancelScope()

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self._alarm = Alarm(self._limit_s, self._run_out)
        return self

    def _leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Return whether the limit ended the block."""
        self._alarm.cancel()
        return bool(self._scope.__exit__(kind, error, traceback))

    def _run_out(self) -> None:
        self.ran_out = True
        self._scope.cancel()


class move_on_after(_Limited):  # noqa: N801  (named after anyio's, which it replaces)
    """Leave the block after a number of seconds, without pauses of this process."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return self._leave(kind, error, traceback)


class fail_after(_Limited):  # noqa: N801
    """Raise TimeoutError after a number of seconds, without pauses of this process."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._leave(kind, error, traceback):
            raise TimeoutError
