"""One after the other for each key; free of charge for whoever is alone."""

from __future__ import annotations

from collections import deque

import anyio


class Turns:
    """`take` a key's turn and `give` it on, in the order of asking. Belongs to the event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[anyio.Event]] = {}

    async def take(self, key: str) -> None:
        """Have the turn when this returns; `give` must follow."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return
        mine = anyio.Event()
        waiting.append(mine)
        try:
            await mine.wait()
        except BaseException:
            if mine.is_set():  # cancelled with the turn in hand
                self.give(key)
            else:
                waiting.remove(mine)
            raise

    def give(self, key: str) -> None:
        """The next one's turn."""
        waiting = self._waiting[key]
        if waiting:
            waiting.popleft().set()
        else:
            del self._waiting[key]
