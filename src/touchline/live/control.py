"""The live process's side of the line to the server: requests in, replies and events out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from touchline.ipc import wire
from touchline.ipc.outgoing import Outgoing

log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that cannot be carried out: `code` and a sentence for the reply."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Control:
    """Serves the server's connection. `alone` is awaited when the last one is gone.

    Requests are carried out side by side: one that waits (for an HLS part) holds up no other.
    """

    def __init__(
        self,
        do: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
        *,
        alone: Callable[[], Awaitable[None]],
    ) -> None:
        self._do = do
        self._alone = alone
        self._clients: dict[asyncio.StreamWriter, Outgoing] = {}

    @property
    def connected(self) -> bool:
        """Whether a server is there."""
        return bool(self._clients)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until it closes; what it still waits for is given up then."""
        self._clients[writer] = outgoing = Outgoing(writer)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(line, outgoing))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except (ConnectionError, ValueError) as error:
            log.warning("connection given up: %s", error)
        finally:
            del self._clients[writer]
            for task in tasks:
                task.cancel()
            writer.close()
            if not self._clients:
                await self._alone()

    async def _answer(self, line: bytes, outgoing: Outgoing) -> None:
        number = None
        try:
            message = wire.decode(line)
            number = message.get("id")
            reply: dict[str, Any] = {"ok": True, **await self._do(message)}
        except Problem as problem:
            reply = {"ok": False, "code": problem.code, "message": str(problem)}
        except Exception as error:
            log.exception("request failed: %r", line[:200])
            reply = {"ok": False, "code": "live_error", "message": f"{error!r}"}
        with contextlib.suppress(ConnectionError):
            outgoing.reply(wire.encode({"re": number, **reply}))

    def notify(self, message: dict[str, Any]) -> None:
        """Tell the server. On the event loop only."""
        line = wire.encode(message)
        for outgoing in self._clients.values():
            outgoing.tell(message, line)
