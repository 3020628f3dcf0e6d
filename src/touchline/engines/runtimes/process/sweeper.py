"""Killing of process remains, shared by concurrent callers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from touchline.engines.runtimes.process.kernel.procfs import Remains


class Sweeper:
    """Sweeper whose scans of all processes are shared.

    Calls during one scan share the next. A scan of a thousand processes takes 20 ms, and a whole
    fleet may end at once.
    """

    def __init__(self, kill: Callable[[Sequence[Remains]], Awaitable[None]]) -> None:
        self._kill = kill
        self._waiting: list[Remains] = []
        self._turn = anyio.Lock()

    async def sweep(self, remains: Remains) -> None:
        """Kill the remains, and return when nothing is left of them."""
        self._waiting.append(remains)
        async with self._turn:
            # If it is missing, another caller's scan has included it.
            if any(each is remains for each in self._waiting):
                batch, self._waiting = self._waiting, []
                try:
                    await self._kill(batch)
                except BaseException:
                    # Waiting callers find their own remains again, and retry.
                    self._waiting = [*batch, *self._waiting]
                    raise
