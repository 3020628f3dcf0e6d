"""A WebRTC viewer without a browser: aiortc as the receiving end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import av
from aiortc import RTCCertificate, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import rsa

from touchline.media.picture.testpicture import read_counter

DEADLINE_S = 60.0


class RsaCertificate(RTCCertificate):
    """A certificate as GStreamer's webrtcbin has one."""

    @classmethod
    def make(cls) -> RsaCertificate:
        key: Any = rsa.generate_private_key(65537, 2048)
        return cls(key=key, cert=generate_certificate(key))

    def _create_ssl_context(self, srtp_profiles: Any) -> Any:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(b"ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH")
        return context


class Viewer:
    """One viewer; `offer` and `accept` do its half of the signalling, whoever carries it.

    `setup` is the DTLS role that it offers; its certificate is an ECDSA one if none is given.
    """

    def __init__(self, setup: str = "actpass", certificate: RTCCertificate | None = None) -> None:
        self.setup = setup
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        if certificate is not None:
            vars(self.peer)["_RTCPeerConnection__certificates"] = [certificate]
        self.peer.addTransceiver("video", direction="recvonly")
        self.counters: list[int | None] = []
        self.first_frame_at_s: float | None = None
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.peer.on("track", self._track)

    async def offer(self) -> str:
        """The viewer's SDP, with all its addresses."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        sdp = str(self.peer.localDescription.sdp)
        assert "a=setup:actpass" in sdp
        return sdp.replace("a=setup:actpass", f"a=setup:{self.setup}")

    async def accept(self, answer: str) -> None:
        """Take the server's answer."""
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def frames(self, count: int) -> list[int]:
        """The counters of the first frames, once there are as many as that."""

        async def enough() -> None:
            while len(self.counters) < count:
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(enough(), DEADLINE_S)
        found = [counter for counter in self.counters[:count] if counter is not None]
        assert len(found) == count, f"frames without a readable counter: {self.counters[:count]}"
        return found

    async def more(self, count: int) -> list[int]:
        """The counters of that many frames from now on."""
        before = len(self.counters)
        return (await self.frames(before + count))[before:]

    async def ended(self) -> None:
        """Return when the server has hung up."""
        assert self._reading is not None, "nothing was ever received"
        await asyncio.wait_for(self._reading, DEADLINE_S)

    async def close(self) -> None:
        await self.peer.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _track(self, track: MediaStreamTrack) -> None:
        self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            if self.first_frame_at_s is None:
                self.first_frame_at_s = time.monotonic()
            self.counters.append(counter(frame))
            self._news.set()


def counter(frame: av.VideoFrame) -> int | None:
    """The burnt-in counter of a decoded picture."""
    plane = frame.planes[0]
    rows = bytes(plane)
    luma = b"".join(
        rows[n * plane.line_size : n * plane.line_size + frame.width] for n in range(frame.height)
    )
    return read_counter(luma, frame.width, frame.height)
