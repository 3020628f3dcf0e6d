"""Events of the daemon, read without delay, and checks of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from touchline.engines.model.model import RuntimeEvent
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.api import DockerApi
from touchline.engines.runtimes.docker.json import event_of
from touchline.foreign.text import shown

PING_EVERY_S = 5.0
"""Interval of pings in seconds.

Silence is normal for events, so it does not show that a daemon is frozen or cut off.
"""

KEPT_UNREAD = 10_000

Told = Mapping[str, Any]
Wanted = Callable[[Told, RuntimeEvent], bool]


@asynccontextmanager
async def watching(api: DockerApi, wanted: Wanted) -> AsyncIterator[AsyncIterator[RuntimeEvent]]:
    """Open the stream of `wanted` events from the moment of entering.

    It behaves as specified by `Runtime.watch`.
    """
    async with api.events() as messages:
        feed = _Feed(wanted)
        tasks = [
            asyncio.create_task(feed.read(messages)),
            asyncio.create_task(feed.watch_silence(api)),
        ]
        try:
            yield feed.events()
        finally:
            feed.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


class _Feed:
    """Buffer that reads events without delay.

    The daemon drops a listener that is 100 ms behind.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._reason = ""
        self._in, self._out = anyio.create_memory_object_stream[RuntimeEvent](KEPT_UNREAD)

    async def read(self, messages: AsyncIterator[Told]) -> None:
        """Read events until there are no more, or too many."""
        reason = "Docker's events ended"
        try:
            async for each in messages:
                event = event_of(each)
                if event is not None and self._wanted(each, event):
                    self._in.send_nowait(event)
        except anyio.WouldBlock:
            reason = f"{KEPT_UNREAD} events of Docker were not read in time"
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # the reader has gone
        except RuntimeUnavailable as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001  (the reader must get every error)
            reason = f"an event of Docker makes no sense: {shown(repr(error)[:500], 200)}"
        self._end(reason)

    async def watch_silence(self, api: DockerApi) -> None:
        """End the feed when the daemon no longer answers."""
        try:
            while True:
                await anyio.sleep(PING_EVERY_S)
                await api.ping()
        except RuntimeUnavailable as error:
            self._end(error.message)

    async def events(self) -> AsyncIterator[RuntimeEvent]:
        """Yield the buffered events; raises RuntimeUnavailable after the last one."""
        async for event in self._out:
            yield event
        raise RuntimeUnavailable(self._reason)

    def close(self) -> None:
        """Stop accepting events."""
        self._end("the watcher has left")
        self._out.close()

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._in.close()
