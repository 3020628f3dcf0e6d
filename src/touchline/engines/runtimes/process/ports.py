"""Check that the requested ports of a process are free."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from touchline.engines.model.model import PortMapping
from touchline.engines.model.runtime import PortInUse, StartFailed

Port = tuple[int, str]


def wanted(ports: Iterable[PortMapping]) -> frozenset[Port]:
    """Return the ports of the host that a spec requests."""
    return frozenset(
        (each.host_port, each.protocol) for each in ports if each.host_port is not None
    )


def check(ports: Iterable[Port], address: str) -> None:
    """Check that each port can be bound.

    Blocking, for a moment. Raises PortInUse, StartFailed.
    """
    for number, protocol in sorted(ports):
        try:
            _bind(address, number, protocol)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"Port {number}/{protocol} of {address} is in use; nothing was started",
                    port=number,
                ) from error
            raise StartFailed(
                f"Port {number}/{protocol} of {address} cannot be used: {error.strerror};"
                " nothing was started"
            ) from error


def _bind(address: str, number: int, protocol: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # With SO_REUSEADDR, connections in TIME_WAIT do not count, and listening sockets still
            # do. For UDP it would share the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, number))
