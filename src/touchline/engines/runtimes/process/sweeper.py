"""Killing what is left of processes, for many who ask at once in one look at all processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from touchline.engines.runtimes.process.procfs import Remains


class Sweeper:
    """Belongs to the event loop. Whoever asks while one look is taken shares the next.

    A look at a thousand processes takes 20 ms, and a whole fleet may end at once.
    """

    def __init__(self, kill: Callable[[Sequence[Remains]], Awaitable[None]]) -> None:
        self._kill = kill
        self._waiting: list[Remains] = []
        self._turn = anyio.Lock()

    async def sweep(self, remains: Remains) -> None:
        """Return when nothing is left of them."""
        self._waiting.append(remains)
        async with self._turn:
            # Another has taken it along, if it is not there any more.
            if any(each is remains for each in self._waiting):
                batch, self._waiting = self._waiting, []
                try:
                    await self._kill(batch)
                except BaseException:
                    # Those who wait behind find theirs again, and try for themselves.
                    self._waiting = [*batch, *self._waiting]
                    raise
