"""A plain WebRTC server as one would write it from aiortc's documentation: RTSP in, viewers out.

H.264 is passed through as coded packets; every viewer has an RTCPeerConnection. Offers are posted
to `/whep`, as to ours. Run as a program it prints `ready URL`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import _processes
import av
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

DESCRIPTION = "plain aiortc, RTCPeerConnection fed with coded packets"


@contextmanager
def peer(rtsp_url: str) -> Iterator[str]:
    """The address of a running peer that shows that camera."""
    process = subprocess.Popen(
        [sys.executable, __file__, rtsp_url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        line = _processes.first_line(process)
        if not line.startswith("ready "):
            raise RuntimeError("the plain WebRTC server cannot be started")
        yield line.removeprefix("ready ")
    finally:
        _processes.end(process)


class Show:
    """One camera for any number of viewers."""

    def __init__(self) -> None:
        self.playing = asyncio.Event()
        self._viewers: set[asyncio.Queue[Any]] = set()
        self._connections: set[RTCPeerConnection] = set()

    def read(self, rtsp_url: str, loop: asyncio.AbstractEventLoop) -> None:
        """Pass on what the camera sends; a thread's work."""
        options = {"rtsp_transport": "tcp", "fflags": "nobuffer"}
        with av.open(rtsp_url, options=options) as source:
            for packet in source.demux(video=0):
                if packet.pts is not None:
                    loop.call_soon_threadsafe(self._pass_on, packet)

    def _pass_on(self, packet: Any) -> None:
        self.playing.set()
        for queue in self._viewers:
            queue.put_nowait(packet)

    async def whep(self, request: web.Request) -> web.Response:
        """Answer an offer."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.add(connection)
        sender = connection.addTrack(Track(self._viewers))
        codecs = RTCRtpSender.getCapabilities("video").codecs
        (transceiver,) = (t for t in connection.getTransceivers() if t.sender is sender)
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType == "video/H264"])
        offer = RTCSessionDescription(await request.text(), "offer")
        await connection.setRemoteDescription(offer)
        await connection.setLocalDescription(await connection.createAnswer())
        answer = connection.localDescription.sdp
        return web.Response(text=answer, content_type="application/sdp", status=201)


class Track(MediaStreamTrack):
    """The camera's packets, from a keyframe on."""

    kind = "video"

    def __init__(self, viewers: set[asyncio.Queue[Any]]) -> None:
        super().__init__()
        self._viewers = viewers
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._began = False

    async def recv(self) -> Any:
        """The next packet."""
        self._viewers.add(self._queue)
        while True:
            packet = await self._queue.get()
            self._began = self._began or packet.is_keyframe
            if self._began:
                return packet

    def stop(self) -> None:
        """Take no more."""
        super().stop()
        self._viewers.discard(self._queue)


async def page(_: web.Request) -> web.Response:
    """Something to have the origin of."""
    return web.json_response({})


async def serve(rtsp_url: str) -> None:
    """Until killed."""
    show = Show()
    reading = (rtsp_url, asyncio.get_running_loop())
    threading.Thread(target=show.read, args=reading, daemon=True).start()
    await show.playing.wait()
    application = web.Application()
    application.add_routes([web.post("/whep", show.whep), web.get("/", page)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
