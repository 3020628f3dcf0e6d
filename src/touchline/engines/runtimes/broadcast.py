"""Distribution of a runtime's events to all watchers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from touchline.engines.model.model import RuntimeEvent
from touchline.engines.model.runtime import RuntimeUnavailable

KEPT_UNREAD = 10_000


class Broadcast:
    """Broadcast of events; a slow reader is disconnected with an error and delays no other."""

    def __init__(self) -> None:
        self._watchers: set[MemoryObjectSendStream[RuntimeEvent]] = set()

    def publish(self, event: RuntimeEvent) -> None:
        """Send an event to all current watchers."""
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(event)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self._watchers.discard(watcher)
                watcher.close()

    def end(self) -> None:
        """End the events of all watchers, because some may have been lost."""
        for watcher in self._watchers:
            watcher.close()
        self._watchers.clear()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[RuntimeEvent]]:
        """Watch events as specified by `Runtime.watch`."""
        send, receive = anyio.create_memory_object_stream[RuntimeEvent](KEPT_UNREAD)
        self._watchers.add(send)
        try:
            yield _read(receive)
        finally:
            self._watchers.discard(send)
            send.close()
            receive.close()


async def _read(
    receive: MemoryObjectReceiveStream[RuntimeEvent],
) -> AsyncIterator[RuntimeEvent]:
    async for event in receive:
        yield event
    raise RuntimeUnavailable("Events were read too slowly, or the runtime was closed")
