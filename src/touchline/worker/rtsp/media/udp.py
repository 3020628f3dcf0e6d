"""A pair of UDP ports for one stream: RTP on the even one, RTCP on the odd one above it."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from touchline.worker.rtsp.errors import RtspError
from touchline.worker.rtsp.link import Link

_BUFFER_BYTES = 8 << 20
_ROUND = 512
"""So many datagrams are read before the connection gets its turn again."""
_TRIES = 64


class UdpPair:
    """Takes datagrams from the camera's host only."""

    def __init__(self, link: Link) -> None:
        """Open ports on the address that the connection has. Raises RtspError."""
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
        """Note where the camera says that its packets come from."""
        self._server = ports
        if source is not None:
            try:
                self._hosts.add(str(ipaddress.ip_address(source)))
            except ValueError:
                return  # a name or nonsense: the camera's own address stays

    def take(self, ready: frozenset[int], on_packet: Callable[[bytes], None]) -> None:
        """Hand on what has arrived on the ready ones."""
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
                    continue  # about something that was sent; what arrives tells enough
                raise RtspError(f"packets cannot be received: {error.strerror}") from error
            if sender[0] in self._hosts:
                on_packet(bytes(self._view[:size]))

    def send(self, packet: bytes) -> None:
        """Send an RTCP packet, which may get lost."""
        if self._server is not None:
            self._send(self.rtcp, packet, self._server[1])

    def open_path(self, packet: bytes) -> None:
        """Let a firewall in between know that packets are expected."""
        if self._server is not None:
            self._send(self.rtp, b"\x80\0" + bytes(10), self._server[0])
            self._send(self.rtcp, packet, self._server[1])

    def _send(self, own: socket.socket, packet: bytes, port: int) -> None:
        try:
            own.sendto(packet, (self._peer, port))
        except OSError:
            return  # a report that is not sent is not missed

    def close(self) -> None:
        """Give the ports back."""
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
                break  # beyond the system's limit only root may go
        return made


_RCVBUFFORCE = 33
