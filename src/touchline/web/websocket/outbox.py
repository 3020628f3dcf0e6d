"""Messages waiting to be sent to a session, kept so that a slow client delays only itself."""

from __future__ import annotations

from collections import OrderedDict

import anyio

REPLIES_AHEAD = 64
"""Number of queued replies at which reading from the client stops until it has read some."""


class Outbox:
    """Queue of every reply, in order, and of only the newest status of each channel.

    A status replaces its unsent predecessor, so a slow client gets late but never outdated data. It
    belongs to the event loop.
    """

    def __init__(self) -> None:
        # Replies are stored by number, statuses by the name of their channel.
        self._waiting: OrderedDict[int | str, str] = OrderedDict()
        self._numbered = 0
        self._replies = 0
        self._news: anyio.Event | None = None
        self._taken: anyio.Event | None = None
        self.replaced = 0
        """Statuses that a newer one replaced before they could be sent."""

    def reply(self, text: str) -> None:
        """Queue a reply behind everything that is waiting."""
        self._numbered += 1
        self._replies += 1
        self._put(self._numbered, text)

    def status(self, channel: str, text: str) -> None:
        """Queue a status, replacing the channel's unsent one."""
        self.replaced += channel in self._waiting
        self._put(channel, text)

    def forget(self, channel: str) -> None:
        """Remove the channel's unsent status."""
        self._waiting.pop(channel, None)

    async def take(self) -> str:
        """Return the next message to send, waiting for one."""
        while not self._waiting:
            self._news = anyio.Event()
            await self._news.wait()
        key, text = self._waiting.popitem(last=False)
        if isinstance(key, int):
            self._replies -= 1
            if self._taken is not None:
                self._taken.set()
                self._taken = None
        return text

    async def room(self) -> None:
        """Wait until few enough replies are queued to read from the client again."""
        while self._replies >= REPLIES_AHEAD:
            self._taken = anyio.Event()
            await self._taken.wait()

    def _put(self, key: int | str, text: str) -> None:
        self._waiting[key] = text
        if self._news is not None:
            self._news.set()
            self._news = None
