"""The server's port: bound before anything else is opened, and its connections accepted."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

from touchline.core.errors import Failed
from touchline.core.storm import Storm

log = logging.getLogger(__name__)

BACKLOG = 512

AT_ONCE = 8
"""Connections accepted before the event loop runs other tasks."""

RETRY_S = 0.1
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind a socket for each address of `host`. Raises Failed, naming the port if it is in use."""
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise Failed(
            f"Cannot listen on {host}: {error.strerror or error}", code="host_unknown"
        ) from error
    sockets: list[socket.socket] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Port 0 means any free port, but the same one for every address.
            chosen = sockets[0].getsockname()[1] if sockets else port
            made.bind((address[0], chosen, *address[2:]))
            made.listen(BACKLOG)  # a second server with SO_REUSEADDR fails only against a listener
        except OSError as error:
            for each in (made, *sockets):
                each.close()
            raise _cannot_bind(host, port, error) from error
        made.setblocking(False)
        sockets.append(made)
    return sockets


def _cannot_bind(host: str, port: int, error: OSError) -> Failed:
    if error.errno == errno.EADDRINUSE:
        return Failed(
            f"Port {port} on {host} is in use by another program. Stop it, or choose another port"
            " with --port.",
            code="port_in_use",
        )
    return Failed(f"Cannot listen on {host} port {port}: {error.strerror}", code="cannot_listen")


class Acceptor:
    """Acceptor of connections at one listening socket that does not spin on errors.

    Without free descriptors, asyncio's own retries as often as its backlog is long, with a log line
    each time. `refuse` returns the response for a connection that is not admitted, `make` the
    protocol for one that is, and `relieve` frees descriptors.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        refuse: Callable[[str, str], bytes | None],
        make: Callable[[str], asyncio.Protocol],
        relieve: Callable[[], object],
    ) -> None:
        self._listener = listener
        self._refuse, self._make, self._relieve = refuse, make, relieve
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._closed = False
        self.storm = Storm(log, "New connections cannot be accepted at the moment")

    def start(self) -> None:
        """Start accepting connections."""
        self._retry = None
        if not self._closed:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting connections; existing ones stay open."""
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener.fileno())

    async def wait_closed(self) -> None:
        """Wait for connections that are being set up."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self.storm.note(error.strerror or str(error))
                self._loop.remove_reader(self._listener.fileno())
                self._retry = self._loop.call_later(RETRY_S, self.start)
                self._relieve()
                return
            connection.setblocking(False)
            host = str(address[0]) if isinstance(address, tuple) else ""
            refusal = self._refuse(host, _own_address(connection))
            if refusal is not None:
                _turn_away(connection, refusal)
                continue
            task = self._loop.create_task(self._open(connection, host))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket, host: str) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: self._make(host), connection)
        except OSError as error:  # already closed
            log.debug("a connection from %s could not be accepted: %s", host, error)
            connection.close()


def _own_address(connection: socket.socket) -> str:
    """Return the local address of a connection; empty if there is none."""
    try:
        address = connection.getsockname()
    except OSError:
        return ""
    return str(address[0]) if isinstance(address, tuple) else ""


def _turn_away(connection: socket.socket, refusal: bytes) -> None:
    """Send the refusal; read the request first, or the connection would be reset."""
    with suppress(OSError):
        with suppress(BlockingIOError):
            connection.recv(65536)
        connection.send(refusal)
        connection.shutdown(socket.SHUT_WR)
    connection.close()


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
