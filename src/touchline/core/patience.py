"""Time limits for answers of others that do not count the pauses of this process.

anyio's limits look at the clock alone. In a process that was stopped for a while they run out
before the answer is read that has been waiting all the time. These count in slices: what is longer
than a slice between two looks was a pause of our own, and nobody is judged at the end of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio

SLICE_S = 0.25
LATE_S = 0.25
"""A look that comes so much later than asked comes after a pause."""

MOST_GRACE = 8
"""So many slices more are granted to a process that is late at every look."""


class Countdown:
    """The time that is left of a limit, counted look by look. Pure: the caller gives the times."""

    def __init__(self, limit_s: float, now_s: float) -> None:
        self._left_s = limit_s
        self._looked_at_s = now_s
        self._asked_s = 0.0
        self._grace = 0

    def next_s(self) -> float:
        """Return the seconds until the next look."""
        self._asked_s = SLICE_S if self._grace else min(SLICE_S, max(self._left_s, 0.0))
        return self._asked_s

    def ran_out(self, now_s: float) -> bool:
        """Count the time since the last look; returns whether none is left."""
        passed_s = now_s - self._looked_at_s
        self._looked_at_s = now_s
        self._left_s -= min(passed_s, self._asked_s)
        if self._left_s > 1e-9:
            return False
        if passed_s > self._asked_s + LATE_S and self._grace < MOST_GRACE:
            self._grace += 1  # first what has arrived meanwhile is read
            return False
        return True


class Alarm:
    """Calls once after a number of seconds of our own time; `cancel` it like a loop's timer."""

    def __init__(self, limit_s: float, call: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._countdown = Countdown(limit_s, self._loop.time())
        self._timer = self._loop.call_later(self._countdown.next_s(), self._look)

    def cancel(self) -> None:
        """Cancel the call."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._countdown.ran_out(self._loop.time()):
            self._call()
            return
        self._timer = self._loop.call_later(self._countdown.next_s(), self._look)


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


class move_on_after(_Limited):  # noqa: N801  (named as anyio's, which it stands for)
    """Leave the block after a number of seconds in which this process was able to run."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return self._leave(kind, error, traceback)


class fail_after(_Limited):  # noqa: N801
    """Raise TimeoutError if the block takes longer than these seconds of our own time."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._leave(kind, error, traceback):
            raise TimeoutError
