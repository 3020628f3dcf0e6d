"""Transport of data to a client: one TCP connection for everything, or UDP for the media."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Protocol

_TRIES = 50
_SPLIT_PAUSE_S = 0.002
_STRAY = b"\r\n\0\0 stray"
_STRAY_CHANNEL = 99


class Wire:
    """A TCP connection whose writes wait while output is held back."""

    def __init__(
        self, connection: socket.socket, held_s: Callable[[], float], gone: threading.Event
    ) -> None:
        """Wrap a connection; `held_s` returns the remaining delay, `gone` ends waiting."""
        self._connection = connection
        self._held_s = held_s
        self._gone = gone
        self._lock = threading.Lock()

    def write(self, data: bytes, *, at_a_time: int | None = None) -> None:
        """Write everything, in parts of at most that many bytes. Raises OSError if closed."""
        with self._lock:
            self.wait_while_held()
            if at_a_time is None:
                self._connection.sendall(data)
                return
            for at in range(0, len(data), at_a_time):
                self._connection.sendall(data[at : at + at_a_time])
                if self._gone.wait(_SPLIT_PAUSE_S):
                    raise ConnectionAbortedError

    def wait_while_held(self) -> None:
        """Wait while output is held back. Raises ConnectionAbortedError if the client has gone."""
        while (held_s := self._held_s()) > 0:
            if self._gone.wait(held_s):
                raise ConnectionAbortedError


class Delivery(Protocol):
    """Transport of one track's packets."""

    def rtp(self, packets: list[bytes]) -> None:
        """Send RTP packets."""

    def rtcp(self, packet: bytes) -> None:
        """Send an RTCP packet."""

    def close(self) -> None:
        """Release resources."""


class Interleaved:
    """Packets within the RTSP connection."""

    def __init__(
        self, wire: Wire, channel: int, *, stray_bytes: int = 0, stray_channel: bool = False
    ) -> None:
        self._wire = wire
        self._channel = channel
        self._stray = (_STRAY * (stray_bytes // len(_STRAY) + 1))[:stray_bytes]
        self._stray_channel = stray_channel

    def rtp(self, packets: list[bytes]) -> None:
        """Write the packets of a frame at once."""
        parts = []
        if self._stray_channel:
            parts.append(_frame_packet(_STRAY_CHANNEL, b"somebody else's"))
        for packet in packets:
            parts += [self._stray, _frame_packet(self._channel, packet)]
        self._wire.write(b"".join(parts))

    def rtcp(self, packet: bytes) -> None:
        """Write an RTCP packet on the next channel."""
        self._wire.write(_frame_packet(self._channel + 1, packet))

    def close(self) -> None:
        """Do nothing: the connection belongs to its owner."""


def _frame_packet(channel: int, packet: bytes) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


class Datagrams:
    """A pair of UDP ports, RTP on the even one."""

    def __init__(self, host: str, client: tuple[str, int, int], wire: Wire) -> None:
        """Open a pair for the client's address and ports. Raises OSError if no pair is free."""
        address, rtp_port, rtcp_port = client
        self._wire = wire
        self._rtp, self._rtcp = _pair(host)
        self._rtp_to, self._rtcp_to = (address, rtp_port), (address, rtcp_port)
        self.ports = (self._rtp.getsockname()[1], self._rtcp.getsockname()[1])

    def rtp(self, packets: list[bytes]) -> None:
        """Send the packets of a frame."""
        self._wire.wait_while_held()
        for packet in packets:
            _send(self._rtp, packet, self._rtp_to)

    def rtcp(self, packet: bytes) -> None:
        """Send an RTCP packet."""
        self._wire.wait_while_held()
        _send(self._rtcp, packet, self._rtcp_to)

    def heard(self) -> bool:
        """Return whether the client sent RTCP since the last call."""
        found = False
        while True:
            try:
                self._rtcp.recv(65_536, socket.MSG_DONTWAIT)
            except OSError:
                return found
            found = True

    def close(self) -> None:
        """Close both ports."""
        self._rtp.close()
        self._rtcp.close()


def _send(port: socket.socket, packet: bytes, to: tuple[str, int]) -> None:
    try:
        port.sendto(packet, to)
    except ConnectionRefusedError:
        # Caused by an earlier datagram to a closed port; harmless with UDP.
        time.sleep(0)


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_TRIES):
        first = socket.socket(family, socket.SOCK_DGRAM)
        first.bind((host, 0))
        port = first.getsockname()[1]
        if port % 2 == 0:
            second = socket.socket(family, socket.SOCK_DGRAM)
            try:
                second.bind((host, port + 1))
            except OSError:
                second.close()
            else:
                return first, second
        first.close()
    raise OSError("no pair of UDP ports is free")
