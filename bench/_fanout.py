"""Servers that tell all their clients 2 kB ten times a second: the hub's, and a gather loop's.

`python _fanout.py ours|gather|default` serves on a free port of loopback and prints it. `default`
is the gather loop with uvicorn as it comes, which compresses for every client that offers it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.web import ImpatientProtocol
from touchline.web.auth.auth import Grant
from touchline.web.websocket.channels import Channel
from touchline.web.websocket.hub import Hub
from touchline.web.websocket.sockets import router

PERIOD_S = 0.1
FILLING = {
    f"camera_{n}": {"state": "running", "uptime": n * 1.37 + 1e-3, "bitrate_bps": n * 104_729}
    for n in range(29)
}
"""About 2 kB, and about as repetitive as a status."""
MOST = 1000


def listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(made.getsockname()[1], flush=True)
    return made


class NoSignalling:
    """Nobody is shown anything here."""

    async def handle(
        self,
        connection_id: str,
        message: dict[str, Any],
        send: Callable[[str, dict[str, Any]], None],
    ) -> list[dict[str, Any]]:
        """No answer."""
        del connection_id, message, send
        return []

    async def closed(self, connection_id: str) -> None:
        """Nothing to let go of."""


class OpenGate:
    """Lets everybody in, as a server without a key does."""

    def admit(self, scope: Scope) -> Grant:
        """Every request is let in."""
        del scope
        return Grant("open")


async def ours() -> None:
    """The hub behind the socket layer of the real server; only the channel ticks faster."""
    app = FastAPI()
    app.include_router(router)
    app.state.gate = OpenGate()
    channel = Channel("status", PERIOD_S, lambda: FILLING)
    supervisor = Supervisor(lambda *_, **__: None, Metrics())
    hub = Hub([channel], {}, signalling=NoSignalling(), max_sessions=MOST, supervisor=supervisor)
    app.state.hub = hub
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", ws=ImpatientProtocol, ws_per_message_deflate=False
    )
    async with hub.open():
        await uvicorn.Server(config).serve([listener()])


async def gather(*, compressed: bool = False) -> None:
    """What most applications do: one encoding, and `gather` over all connections."""
    connections: set[WebSocket] = set()

    async def endpoint(connection: WebSocket) -> None:
        await connection.accept()
        connections.add(connection)
        try:
            while True:
                await connection.receive_text()
        except WebSocketDisconnect:
            connections.discard(connection)

    async def broadcast() -> None:
        due_s = time.monotonic()
        while True:
            # On a grid: most such loops tick less often the more clients they have.
            due_s = max(due_s + PERIOD_S, time.monotonic())
            await asyncio.sleep(due_s - time.monotonic())
            message = {"v": 1, "type": "status", "ts": time.time(), "data": FILLING}
            text = json.dumps(message, separators=(",", ":"))
            sends = (connection.send_text(text) for connection in tuple(connections))
            await asyncio.gather(*sends, return_exceptions=True)

    app = Starlette(routes=[WebSocketRoute("/ws", endpoint)])
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws_per_message_deflate=compressed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(broadcast)
        await uvicorn.Server(config).serve([listener()])
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    kinds: dict[str, Callable[[], Awaitable[None]]] = {
        "ours": ours,
        "gather": gather,
        "default": partial(gather, compressed=True),
    }
    anyio.run(kinds[sys.argv[1]])
