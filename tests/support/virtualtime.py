"""An event loop whose time passes when nobody has anything to do.

An hour takes as long as the work in it. Nothing may wait for a thread or a socket there.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from touchline.engines.model.clock import Clock

BEGAN = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
FOR_EVER_S = 3600.0


class _Selector(selectors.SelectSelector):
    """Instead of waiting it moves the loop's clock."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits for something that cannot happen")
        self.loop.passed_s += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` is what has passed since it was made."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self.passed_s


def run_in_virtual_time(work: Callable[[Clock], Awaitable[None]]) -> float:
    """Run it to its end; how many virtual seconds that took."""
    loop = VirtualLoop()
    clock = Clock(now=lambda: BEGAN + timedelta(seconds=loop.passed_s), now_s=lambda: loop.passed_s)

    async def bounded() -> None:
        await asyncio.wait_for(work(clock), FOR_EVER_S)

    try:
        loop.run_until_complete(bounded())
        return loop.passed_s
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
