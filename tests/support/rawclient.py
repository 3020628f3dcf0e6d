"""A client that keeps all that a simulated camera sends, for the camera's own tests."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from support.rtsp import camera_in_thread
from touchline.sim.rtsp.server import CameraServer

DEADLINE_S = 20.0
WORD = 0xFFFFFFFF


@dataclass
class Rtp:
    """One packet as it came."""

    channel: int
    data: bytes
    at_s: float

    @property
    def marker(self) -> bool:
        return bool(self.data[1] & 0x80)

    @property
    def sequence(self) -> int:
        return int.from_bytes(self.data[2:4], "big")

    @property
    def stamp(self) -> int:
        return int.from_bytes(self.data[4:8], "big")

    @property
    def payload_type(self) -> int:
        return self.data[1] & 0x7F

    @property
    def ssrc(self) -> int:
        return int.from_bytes(self.data[8:12], "big")

    @property
    def payload(self) -> bytes:
        at = 12 + 4 * (self.data[0] & 15)
        if self.data[0] & 0x10:
            at += 4 + 4 * int.from_bytes(self.data[at + 2 : at + 4], "big")
        end = len(self.data) - (self.data[-1] if self.data[0] & 0x20 else 0)
        return self.data[at:end]

    @property
    def kind(self) -> int:
        return self.payload[0] & 31


@dataclass
class Client:
    """A player without any ambition: it keeps what it gets."""

    connection: socket.socket
    url: str
    data: bytes = b""
    cseq: int = 0
    packets: list[Rtp] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Requests that the camera sent."""

    def ask(self, method: str, url: str = "", **headers: str) -> tuple[str, str]:
        """Head and body of the answer."""
        self.cseq += 1
        lines = [f"{method} {url or self.url} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return self.answer()

    def answer(self) -> tuple[str, str]:
        while True:
            message = self._message()
            if message is not None and message[0].startswith("RTSP/"):
                return message

    def play(self, *, track: int = 0, transport: str = "RTP/AVP/TCP;interleaved=0-1") -> str:
        """SETUP and PLAY; returns the head of PLAY's answer."""
        setup, _ = self.ask("SETUP", f"{self.url}/trackID={track}", Transport=transport)
        assert " 200" in setup, setup
        return self.ask("PLAY")[0]

    def get(self, count: int) -> list[Rtp]:
        """The first `count` RTP packets."""
        while len(self.rtp()) < count:
            self._message()
        return self.rtp()[:count]

    def frames(self, count: int) -> list[list[Rtp]]:
        """Packets by time stamp, for a camera that has one for each frame; whole ones only."""
        while len(found := self._by_stamp()) <= count:
            self._message()
        return found[:count]

    def _by_stamp(self) -> list[list[Rtp]]:
        found: list[list[Rtp]] = []
        for packet in self.rtp():
            if found and found[-1][0].stamp == packet.stamp:
                found[-1].append(packet)
            else:
                found.append([packet])
        return found

    def rtp(self) -> list[Rtp]:
        return [packet for packet in self.packets if packet.channel % 2 == 0]

    def rtcp(self) -> list[Rtp]:
        return [packet for packet in self.packets if packet.channel % 2 == 1]

    def _message(self) -> tuple[str, str] | None:
        """The next message; None for a packet, which is kept."""
        if self._need(1)[:1] == b"$":
            channel, length = struct.unpack(">xBH", self._need(4)[:4])
            packet = self._need(4 + length)[4 : 4 + length]
            self.packets.append(Rtp(channel, packet, time.monotonic()))
            self.data = self.data[4 + length :]
            return None
        end = b"\r\n\r\n"
        while end not in self.data and b"\n\n" not in self.data:
            self._more()
        end = end if end in self.data else b"\n\n"
        head, _, self.data = self.data.partition(end)
        length = 0
        for line in head.lower().splitlines():
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        body = self._need(length)[:length]
        self.data = self.data[length:]
        text = head.decode()
        if not text.startswith("RTSP/"):
            self.asked.append(text.split(" ")[0])
            return None
        return text, body.decode()

    def _need(self, count: int) -> bytes:
        while len(self.data) < count:
            self._more()
        return self.data

    def _more(self) -> None:
        more = self.connection.recv(65_536)
        if not more:
            raise EOFError
        self.data += more


@contextmanager
def connected(camera: CameraServer) -> Iterator[Client]:
    parts = urlsplit(camera.url)
    with socket.create_connection((parts.hostname, parts.port), DEADLINE_S) as connection:
        yield Client(connection, camera.url)


@contextmanager
def client_of(**options: Any) -> Iterator[Client]:
    with camera_in_thread(**options) as camera, connected(camera) as client:
        yield client


def wait_until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def playing(client: Client, frames: int) -> list[list[Any]]:
    client.play()
    return client.frames(frames)
