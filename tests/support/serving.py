"""Ways to reach an application in a test: in memory, or over a real socket with raw bytes."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from functools import partial
from typing import Any, cast

import anyio
import httpx
import uvicorn

from touchline.web import BoundedProtocol, Door, ImpatientProtocol, create_app

BASE_URL = "http://localhost:8000"
API = "/api/v1"
KEY = "a-key-of-some-length"
START_TIMEOUT_S = 10.0


@asynccontextmanager
async def client_of(system: Any, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application of `system`, without a socket."""
    # Failures inside the application are to be seen as a client sees them, so they are not raised.
    transport = httpx.ASGITransport(create_app(system), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        yield client


@contextmanager
def served(system: Any, *, door: Door | None = None) -> Iterator[int]:
    """The port of a server in a thread of its own that serves `system` on loopback."""
    with served_while(lambda: nullcontext(system), door=door) as port:
        yield port


@contextmanager
def served_while(
    opened: Callable[[], AbstractAsyncContextManager[Any]], *, door: Door | None = None
) -> Iterator[int]:
    """The same of a system that is `opened` in the server's event loop, and closed at the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    door = door or Door(most=1000, most_an_address=1000)
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with opened() as system:
            app = create_app(system)
            config = uvicorn.Config(
                app,
                log_config=None,
                lifespan="off",
                http=cast("Any", partial(BoundedProtocol, door=door)),
                ws=ImpatientProtocol,
            )
            servers.append(uvicorn.Server(config))
            async with door.open(), app.state.hub.open():
                await servers[0].serve([listener])

    thread = threading.Thread(target=anyio.run, args=(serve,))
    thread.start()
    try:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not (servers and servers[0].started):
            assert time.monotonic() < deadline_s, "the server did not start"
            assert thread.is_alive(), "the server died"
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(START_TIMEOUT_S)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


def exchange(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What the server answers to exactly these bytes: status, headers (lower case) and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request)
        received = b""
        while block := connection.recv(65536):
            received += block
    response = http.client.HTTPResponse(_Replay(received))  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return response.status, headers, response.read()


def raw_get(port: int, target: bytes, method: bytes = b"GET") -> tuple[int, dict[str, str], bytes]:
    """The answer to a request whose target nobody has normalised."""
    return exchange(
        port, method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )


class _Replay:
    """A socket, as far as http.client needs one, that has these bytes to give."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self._received)
