"""Taking the server's port, before anything else is opened."""

from __future__ import annotations

import errno
import socket

from touchline.core.errors import Failed

BACKLOG = 512


def bind(host: str, port: int) -> list[socket.socket]:
    """A bound socket for each address of `host`. Raises Failed that names the port in use."""
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
            # Port 0 is any free one, but the same for every address.
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
