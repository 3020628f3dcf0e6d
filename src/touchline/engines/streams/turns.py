"""Serialisation of callers by key, without overhead for a single caller."""

from __future__ import annotations

from collections import deque

import anyio


class Turns:
    """Turns by key, in the order of requests: `take` a turn, and pass it on with `give`."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[anyio.Event]] = {}

    async def take(self, key: str) -> None:
        """Wait for the turn; `give` must follow."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return
        mine = anyio.Event()
        waiting.append(mine)
        try:
            await mine.wait()
        except BaseException:
            if mine.is_set():  # cancelled after receiving the turn
                self.give(key)
            else:
                waiting.remove(mine)
            raise

    def give(self, key: str) -> None:
        """Pass the turn to the next caller."""
        waiting = self._waiting[key]
        if waiting:
            waiting.popleft().set()
        else:
            del self._waiting[key]
