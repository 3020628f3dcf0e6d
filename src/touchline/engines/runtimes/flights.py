"""Work that is done once, however many ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from touchline.engines.model.runtime import RuntimeUnavailable

Work = Callable[[], Coroutine[Any, Any, None]]


class Flights:
    """Runs each work by its key: whoever asks meanwhile waits for the same one.

    A work goes on when those who asked for it are cancelled; only `close` ends it.
    """

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def launch(self, key: Hashable, work: Work) -> asyncio.Task[None]:
        """The task that does it, begun now where none is under way."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(lambda done: self._landed(key, done))
        return task

    async def join(self, key: Hashable, work: Work) -> None:
        """Return when it is done, or raise what it raised."""
        task = self.launch(key, work)
        await asyncio.wait({task})
        if task.cancelled():
            raise RuntimeUnavailable("the server closes its runtime")
        task.result()

    async def close(self) -> None:
        """End whatever is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _landed(self, key: Hashable, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Marks it as seen: a launched work without anybody who waits may fail too.
            task.exception()
