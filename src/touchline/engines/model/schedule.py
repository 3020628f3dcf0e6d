"""Scheduler of work per key, with individual times and limited concurrency."""

from __future__ import annotations

import heapq
import logging
import math
from collections.abc import Awaitable, Callable, KeysView

import anyio
from anyio.abc import TaskGroup

log = logging.getLogger(__name__)

RETRY_S, LONGEST_RETRY_S = 5.0, 60.0
"""First and longest delay after an unexpected exception, in seconds.

The delay doubles with each consecutive failure.
"""

Work = Callable[[str], Awaitable[float]]
OnFailure = Callable[[str, str, Exception], None]
"""Callback for failures.

It receives the schedule's name, the key, and the first error of each series.
"""


class Schedule:
    """Schedule that calls `work(key)` when a key is due.

    The call returns the seconds until the next one. At most `limit` calls run at a time; other due
    keys wait. A key never has two calls at once.
    """

    def __init__(self, name: str, work: Work, *, limit: int, on_failure: OnFailure) -> None:
        self._name = name
        self._work = work
        self._limit = limit
        self._on_failure = on_failure
        self._failures: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._at_work: set[str] = set()
        self._news = anyio.Event()

    def __contains__(self, key: str) -> bool:
        return key in self._due

    @property
    def keys(self) -> KeysView[str]:
        """Scheduled keys."""
        return self._due.keys()

    def __len__(self) -> int:
        return len(self._due)

    def put(self, key: str, in_s: float) -> None:
        """Schedule a key in this many seconds, or move its scheduled time."""
        due_s = anyio.current_time() + in_s
        self._due[key] = due_s
        heapq.heappush(self._heap, (due_s, key))
        if self._heap[0][1] == key:  # otherwise an earlier key determines the wake-up
            self._news.set()

    def drop(self, key: str) -> None:
        """Remove a key; a call in progress is completed."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    async def run(self) -> None:
        """Run until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                self._news = anyio.Event()
                pause_s = self._start_due(tasks)
                with anyio.move_on_after(None if math.isinf(pause_s) else pause_s):
                    await self._news.wait()

    def _start_due(self, tasks: TaskGroup) -> float:
        """Start all due calls that the limit allows, and return the time until the next one.

        Infinity: it is not known.
        """
        now_s = anyio.current_time()
        while self._heap:
            due_s, key = self._heap[0]
            if self._due.get(key) != due_s or key in self._at_work:
                heapq.heappop(self._heap)  # moved or dropped, or pushed again when its work ends
                continue
            if due_s > now_s:
                return due_s - now_s
            if len(self._at_work) >= self._limit:
                return math.inf
            heapq.heappop(self._heap)
            self._at_work.add(key)
            tasks.start_soon(self._one, key, due_s)
        return math.inf

    async def _one(self, key: str, due_s: float) -> None:
        try:
            again_s = await self._work(key)
        except Exception as error:  # noqa: BLE001  (a failure must not affect other keys)
            again_s = self._handle_failure(key, error)
        else:
            self._failures.pop(key, None)
        finally:
            self._at_work.discard(key)
        if self._due.get(key) == due_s:
            self.put(key, again_s)
        elif key in self._due:
            heapq.heappush(self._heap, (self._due[key], key))  # it was moved meanwhile
        self._news.set()

    def _handle_failure(self, key: str, error: Exception) -> float:
        """Return the delay before the next attempt."""
        row = self._failures.get(key, 0)
        if key in self._due:
            self._failures[key] = row + 1
        if row == 0:
            self._on_failure(self._name, key, error)
        else:
            log.warning("%s failed %d times for %s: %r", self._name, row + 1, key, error)
        return min(LONGEST_RETRY_S, RETRY_S * 2.0 ** min(row, 8))
