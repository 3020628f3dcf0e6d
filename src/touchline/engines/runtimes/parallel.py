"""Adaptive limit of concurrent starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed, StartTimeout

LEAST = 2
GAIN = 1.02
"""Factor by which a rate must increase to count as grown; less is noise."""

LOSS = 0.8
"""Share of the previous rate below which the last increase of the limit is reverted."""


class StartPace:
    """Limit of concurrent starts, adapted to their rate. Pure: times are passed in.

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
        """Record a successful start.

        Its time is only relevant while others wait.
        """
        if not others_wait:
            self._since_s = None
        elif self._since_s is None:
            self._since_s, self._count = now_s, 0
        else:
            self._count += 1
            if self._count >= self.limit:
                self._compare(self._count / max(now_s - self._since_s, 1e-6))
                self._since_s, self._count = now_s, 0

    def record_trouble(self) -> None:
        """Record a start that took too long, or at which the daemon failed."""
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


class StartQueue:
    """Queue that runs as many starts as the pace allows; the others wait in order."""

    def __init__(self, *, most: int, clock: Callable[[], float] = anyio.current_time) -> None:
        self._pace, self._clock = StartPace(most=most), clock
        self._limiter = anyio.CapacityLimiter(self._pace.limit)

    @property
    def limit(self) -> int:
        """Maximum number of concurrent starts."""
        return self._pace.limit

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn; its outcome is recorded for the pace."""
        async with self._limiter:
            try:
                yield
            except (RuntimeUnavailable, StartFailed, StartTimeout) as error:
                if _is_trouble(error):
                    self._pace.record_trouble()
                raise
            else:
                waiting = self._limiter.statistics().tasks_waiting
                self._pace.succeeded(self._clock(), others_wait=waiting > 0)
            finally:
                self._limiter.total_tokens = self._pace.limit


def _is_trouble(error: RuntimeUnavailable | StartFailed | StartTimeout) -> bool:
    # A failure caused by the spec says nothing about the machine's capacity.
    return not isinstance(error, StartFailed) or int(error.details.get("status", 0)) >= 500
