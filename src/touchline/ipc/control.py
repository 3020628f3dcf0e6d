"""Control socket of a process, for requests from the server, replies and events.

Requests are handled concurrently: one that waits does not delay others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from touchline.ipc import wire
from touchline.ipc.outgoing import Outgoing

log = logging.getLogger(__name__)


class Problem(Exception):
    """A request that cannot be carried out: `code` and `message` of the reply."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ControlServer:
    """Serves the connections of the server, and of a successor that connects beside it.

    `do` carries out a request and returns the fields of its reply, or raises Problem; any other
    error is answered with `error_code`. `alone` is awaited after the last connection has closed.
    """

    def __init__(
        self,
        do: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
        *,
        alone: Callable[[], Awaitable[None]],
        error_code: str,
        gives_up: bool,
    ) -> None:
        """Create the server; with `gives_up`, a request is cancelled when its connection closes."""
        self._do = do
        self._alone = alone
        self._error_code = error_code
        self._cancels_requests = gives_up
        self._clients: dict[asyncio.StreamWriter, Outgoing] = {}

    @property
    def connected(self) -> bool:
        """Whether a server is connected."""
        return bool(self._clients)

    async def listen(self, directory: Path, name: str) -> asyncio.Server:
        """Listen on `name.sock` in a directory."""
        return await asyncio.start_unix_server(
            self.serve, sock=wire.listen(directory, name), limit=wire.MAX_LINE_BYTES
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it closes."""
        self._clients[writer] = outgoing = Outgoing(writer)
        tasks: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                task = asyncio.create_task(self._answer(line, outgoing))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        except (ConnectionError, ValueError) as error:
            log.warning("closing the connection: %s", error)
        finally:
            del self._clients[writer]
            if self._cancels_requests:
                for task in tasks:
                    task.cancel()
            writer.close()
            if not self._clients:
                await self._alone()

    async def _answer(self, line: bytes, outgoing: Outgoing) -> None:
        number = None
        try:
            message = _decoded(line)
            number = message.get("id")
            reply: dict[str, Any] = {"ok": True, **await self._do(message)}
        except Problem as problem:
            reply = {"ok": False, "code": problem.code, "message": str(problem)}
        except Exception as error:
            log.exception("request failed: %r", line[:200])
            reply = {"ok": False, "code": self._error_code, "message": f"{error!r}"}
        with contextlib.suppress(ConnectionError):
            outgoing.reply(wire.encode({"re": number, **reply}))

    def notify(self, message: dict[str, Any]) -> None:
        """Send an event to every connected server. On the event loop only."""
        line = wire.encode(message)
        for outgoing in self._clients.values():
            outgoing.send_message(message, line)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        return wire.decode(line)
    except ValueError as error:
        raise Problem("bad_request", f"malformed request: {error}") from error
