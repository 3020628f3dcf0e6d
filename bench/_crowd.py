"""Many WebRTC viewers in one process, which count what arrives instead of decoding it.

`python _crowd.py SECONDS URL...` joins one viewer for each WHEP address, prints `ready` once every
viewer has media, and after so many seconds what all of them received, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import _processes
import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription

JOIN_WITHIN_S = 60.0


@dataclass
class Received:
    """What all viewers received in a time."""

    viewers: int = 0
    seconds: float = 0.0
    packets: int = 0
    size_bytes: int = 0
    lost: int = 0
    """Packets that are missing in the middle, by sequence number."""

    @property
    def mbit_a_second(self) -> float:
        """Received payload and RTP headers."""
        return self.size_bytes * 8 / 1e6 / self.seconds if self.seconds else 0.0


class Crowd:
    """A crowd that is watching."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def received(self) -> Received:
        """Wait until the crowd has watched for its seconds."""
        out = self._process.communicate(timeout=JOIN_WITHIN_S * 2)[0]
        return Received(**json.loads(out))


@contextmanager
def crowd(urls: Sequence[str], seconds: float) -> Iterator[Crowd]:
    """One viewer for each address; entered once all of them have media."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(seconds), *urls],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        if _processes.first_line(process) != "ready":
            raise RuntimeError("the WebRTC viewers cannot join")
        yield Crowd(process)
    finally:
        _processes.end(process)


class Viewer:
    """One connection that only receives."""

    def __init__(self) -> None:
        self.packets = self.size_bytes = self.lost = 0
        self.begun = asyncio.Event()
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._newest: int | None = None

    async def join(self, http: aiohttp.ClientSession, url: str) -> None:
        """Offer, take the answer, and return once media arrives."""
        transceiver = self._connection.addTransceiver("video", direction="recvonly")
        _count_instead(transceiver.receiver, self._arrived)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        offer = self._connection.localDescription.sdp
        headers = {"Content-Type": "application/sdp"}
        async with http.post(url, data=offer, headers=headers) as answer:
            answer.raise_for_status()
            description = RTCSessionDescription(await answer.text(), "answer")
        await self._connection.setRemoteDescription(description)
        await self.begun.wait()

    async def leave(self) -> None:
        """Close the connection."""
        await self._connection.close()

    def reset(self) -> None:
        """Count from now on."""
        self.packets = self.size_bytes = self.lost = 0

    def _arrived(self, sequence: int, size_bytes: int) -> None:
        self.begun.set()
        self.packets += 1
        self.size_bytes += size_bytes
        if self._newest is not None:
            ahead = (sequence - self._newest) & 0xFFFF
            if ahead >= 0x8000:  # late: it was counted as lost
                self.lost -= 1
                return
            self.lost += max(0, ahead - 1)
        self._newest = sequence


def _count_instead(receiver: RTCRtpReceiver, arrived: Any) -> None:
    """Replace what aiortc does with a packet: fifty decoders are not what is measured."""

    async def handle(packet: Any, **_: Any) -> None:
        arrived(packet.sequence_number, len(packet.payload) + 12)

    receiver._handle_rtp_packet = handle  # type: ignore[assignment,method-assign]  # noqa: SLF001


async def watch(urls: Sequence[str], seconds: float) -> Received:
    """Join all viewers, then count for so many seconds."""
    viewers = [Viewer() for _ in urls]
    async with aiohttp.ClientSession() as http:
        async with asyncio.timeout(JOIN_WITHIN_S):
            for viewer, url in zip(viewers, urls, strict=True):
                await viewer.join(http, url)
        for viewer in viewers:
            viewer.reset()
        began_s = time.monotonic()
        print("ready", flush=True)
        await asyncio.sleep(seconds)
        received = Received(len(viewers), time.monotonic() - began_s)
        for viewer in viewers:
            received.packets += viewer.packets
            received.size_bytes += viewer.size_bytes
            received.lost += viewer.lost
        await asyncio.gather(*(viewer.leave() for viewer in viewers))
        return received


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(watch(sys.argv[2:], float(sys.argv[1]))))))
