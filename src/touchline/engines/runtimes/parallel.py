"""How many starts are under way at a time: as many as the machine gains by, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed, StartTimeout

LEAST = 2
GAIN = 1.02
"""A rate must be better by this much to count as grown: less is noise."""

LOSS = 0.8
"""Below this part of the previous rate, the last one more was one too many."""


class Pace:
    """The limit of starts at a time, learnt from how they go. Pure: times are passed in.

    While all turns are taken, it compares the rate of starts at one limit with that before: the
    limit grows while the rate does, first by doubling, later by one, and shrinks when it falls. A
    time-out or an error of the daemon halves it.
    """

    def __init__(self, *, most: int) -> None:
        self._least, self._most = min(LEAST, most), most
        self._doubling = True
        self._rate: float | None = None
        self._since_s: float | None = None
        self._count = 0
        self.limit = max(self._least, most // 2)

    def succeeded(self, now_s: float, *, others_wait: bool) -> None:
        """A start has ended well. Only while others wait does its time say anything."""
        if not others_wait:
            self._since_s = None
        elif self._since_s is None:
            self._since_s, self._count = now_s, 0
        else:
            self._count += 1
            if self._count >= self.limit:
                self._compare(self._count / max(now_s - self._since_s, 1e-6))
                self._since_s, self._count = now_s, 0

    def troubled(self) -> None:
        """A start took too long, or the daemon failed at it."""
        self.limit = max(self._least, self.limit // 2)
        self._doubling, self._rate, self._since_s = False, None, None

    def _compare(self, rate: float) -> None:
        previous, self._rate = self._rate, rate
        if previous is None or rate > previous * GAIN:
            more = self.limit * 2 if self._doubling else self.limit + 1
            self.limit = min(self._most, more)
        else:
            self._doubling = False
            if rate < previous * LOSS:
                self.limit = max(self._least, self.limit - 1)


class Turns:
    """Lets so many starts run as the pace says; the others wait in order."""

    def __init__(self, *, most: int, clock: Callable[[], float] = anyio.current_time) -> None:
        self._pace, self._clock = Pace(most=most), clock
        self._limiter = anyio.CapacityLimiter(self._pace.limit)

    @property
    def limit(self) -> int:
        """How many may run now."""
        return self._pace.limit

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Entered when it is this task's turn; how it is left teaches the pace."""
        async with self._limiter:
            try:
                yield
            except (RuntimeUnavailable, StartFailed, StartTimeout) as error:
                if _is_trouble(error):
                    self._pace.troubled()
                raise
            else:
                waiting = self._limiter.statistics().tasks_waiting
                self._pace.succeeded(self._clock(), others_wait=waiting > 0)
            finally:
                self._limiter.total_tokens = self._pace.limit


def _is_trouble(error: RuntimeUnavailable | StartFailed | StartTimeout) -> bool:
    # What the spec is to blame for says nothing about how much the machine can do.
    return not isinstance(error, StartFailed) or int(error.details.get("status", 0)) >= 500
