"""Sharing of work among concurrent callers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any

from touchline.engines.model.runtime import RuntimeUnavailable

Work = Callable[[], Coroutine[Any, Any, None]]


class Flights:
    """Work by key, shared by all callers that request it while it is under way.

    Work continues when its callers are cancelled; only `close` ends it.
    """

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def launch(self, key: Hashable, work: Work) -> asyncio.Task[None]:
        """Return the task of this work, which is started if it is not in progress."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(lambda done: self._finished(key, done))
        return task

    async def join(self, key: Hashable, work: Work) -> None:
        """Wait until the work is done, and raise its error, if any."""
        task = self.launch(key, work)
        await asyncio.wait({task})
        if task.cancelled():
            raise RuntimeUnavailable("the server closes its runtime")
        task.result()

    async def close(self) -> None:
        """Cancel all work."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _finished(self, key: Hashable, task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Marks the error as retrieved: work without a waiting caller may fail too.
            task.exception()
