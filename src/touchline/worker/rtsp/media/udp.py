"""A pair of UDP ports for one stream: RTP on the even port, RTCP on the next odd one."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from touchline.worker.rtsp.errors import RtspError
from touchline.worker.rtsp.link import Link

_BUFFER_BYTES = 8 << 20
_ROUND = 512
"""Datagrams read before the connection is served again."""
_TRIES = 64


class ReceiverUdpPair:
    """A pair of ports that accepts datagrams from the camera's host only."""

    def __init__(self, link: Link) -> None:
        """Open ports on the connection's local address. Raises RtspError."""
        self._host = link.own_host
        self._family = link.family
        self._hosts = {link.peer_host}
        self._peer = link.peer_host
        self._server: tuple[int, int] | None = None
        self._buffer = bytearray(1 << 16)
        self._view = memoryview(self._buffer)
        self.rtp, self.rtcp = self._bind()
        self.sockets = (self.rtp, self.rtcp)

    @property
    def ports(self) -> tuple[int, int]:
        """The two port numbers."""
        return self.rtp.getsockname()[1], self.rtcp.getsockname()[1]

    def sent_from(self, ports: tuple[int, int] | None, source: str | None) -> None:
        """Record the ports and the host from which the camera says it sends."""
        self._server = ports
        if source is not None:
            try:
                self._hosts.add(str(ipaddress.ip_address(source)))
            except ValueError:
                return  # a name or invalid: keep the camera's own address

    def take(self, ready: frozenset[int], on_packet: Callable[[bytes], None]) -> None:
        """Deliver the datagrams that have arrived on the ready ports."""
        for each in self.sockets:
            if each.fileno() in ready:
                self._drain(each, on_packet)

    def _drain(self, each: socket.socket, on_packet: Callable[[bytes], None]) -> None:
        for _ in range(_ROUND):
            try:
                size, sender = each.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH}:
                    continue  # concerns a sent datagram; irrelevant for receiving
                raise RtspError(f"packets cannot be received: {error.strerror}") from error
            if sender[0] in self._hosts:
                on_packet(bytes(self._view[:size]))

    def send(self, packet: bytes) -> None:
        """Send an RTCP packet, which may get lost."""
        if self._server is not None:
            self._send(self.rtcp, packet, self._server[1])

    def open_path(self, packet: bytes) -> None:
        """Send a packet so that a firewall on the path lets the camera's packets in."""
        if self._server is not None:
            self._send(self.rtp, b"\x80\0" + bytes(10), self._server[0])
            self._send(self.rtcp, packet, self._server[1])

    def _send(self, own: socket.socket, packet: bytes, port: int) -> None:
        try:
            own.sendto(packet, (self._peer, port))
        except OSError:
            return  # a lost report does no harm

    def close(self) -> None:
        """Close the ports."""
        for each in self.sockets:
            each.close()

    def _bind(self) -> tuple[socket.socket, socket.socket]:
        for _ in range(_TRIES):
            first = self._socket(0)
            if first is None:
                continue
            port = first.getsockname()[1]
            second = self._socket(port + 1) if port % 2 == 0 and port < 65535 else None
            if second is not None:
                return first, second
            first.close()
        raise RtspError("no pair of UDP ports is free")

    def _socket(self, port: int) -> socket.socket | None:
        made = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            made.bind((self._host, port))
        except OSError:
            made.close()
            return None
        made.setblocking(False)
        for option in (socket.SO_RCVBUF, _RCVBUFFORCE):
            try:
                made.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
            except PermissionError:
                break  # only root may exceed the system's limit
        return made


_RCVBUFFORCE = 33
