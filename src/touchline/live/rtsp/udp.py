"""UDP ports for RTSP clients that request UDP."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

from touchline.live.rtsp.messages import Transport

log = logging.getLogger(__name__)


class SenderUdpPair(asyncio.DatagramProtocol):
    """A pair of neighbouring UDP ports: packets on the even one, reports on the odd one."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self.port = 0
        self._heard = heard
        self._pair: list[asyncio.DatagramTransport] = []
        self._to: tuple[tuple[str, int], tuple[str, int]] = (("", 0), ("", 0))

    @classmethod
    async def open(
        cls, local: str, remote: str, wanted: Transport, heard: Callable[[], None]
    ) -> SenderUdpPair:
        """Open two ports from which packets go to the client's. Raises OSError."""
        made = cls(heard)
        made._to = ((remote, wanted.rtp), (remote, wanted.rtcp))
        loop = asyncio.get_running_loop()
        for sock in _neighbours(local):
            transport, _ = await loop.create_datagram_endpoint(lambda: made, sock=sock)
            made._pair.append(transport)
        made.port = made._pair[0].get_extra_info("sockname")[1]
        return made

    def send(self, data: bytes, *, rtcp: bool) -> None:
        """Send one datagram."""
        self._pair[rtcp].sendto(data, self._to[rtcp])

    def close(self) -> None:
        """Close the ports."""
        for transport in self._pair:
            transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Handle a report of the client, which shows that it is still connected."""
        del data
        if addr[0] == self._to[0][0]:
            self._heard()


def _neighbours(host: str) -> tuple[socket.socket, socket.socket]:
    """Bind sockets to an even port and the one after it. Raises OSError if none are free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(64):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((host, port + 1))
                return first, second
        except OSError as error:
            log.debug("no pair of UDP ports there: %s", error)
        first.close()
        second.close()
    raise OSError("no two neighbouring UDP ports are free")
