"""A camera that is shown over WebRTC, with viewers in the test's own process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

from support.codedcamera import FPS, coded_frames
from support.viewer import Viewer
from touchline.live.frames.streams import Streams
from touchline.live.transcoding.pool import Transcodes
from touchline.live.webrtc.webrtc import Peers


class Show:
    """A camera that is fed, and its viewers."""

    def __init__(self, **options: Any) -> None:
        self.streams = Streams()
        self.events: list[dict[str, Any]] = []
        self.transcodes = Transcodes(self.streams, self.events.append)
        self.peers = Peers(self.transcodes, self.events.append, **options)
        self._footage = coded_frames()
        self._viewers: list[Viewer] = []

    def push(self, count: int) -> None:
        """That many frames at once."""
        for frame in islice(self._footage, count):
            self.streams.get("cam0").push(frame)

    async def roll(self) -> None:
        """A frame every thirtieth of a second, until cancelled."""
        while True:
            self.push(1)
            await asyncio.sleep(1 / FPS)

    async def join(self, viewer: Viewer | None = None) -> tuple[str, Viewer]:
        """A viewer with its answer; it connects by itself."""
        viewer = viewer or Viewer()
        self._viewers.append(viewer)
        session = await self.peers.start("cam0", "a test")
        await viewer.accept((await self.peers.offer(session, await viewer.offer()))["sdp"])
        return session, viewer

    def states(self, session: str) -> list[str]:
        return [e["state"] for e in self.events if e["session"] == session]

    async def until(self, session: str, state: str) -> None:
        deadline = time.monotonic() + 10
        while state not in self.states(session):
            assert time.monotonic() < deadline, self.events
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        await asyncio.gather(*(viewer.close() for viewer in self._viewers))
        await self.peers.close()
        await self.transcodes.close()


@asynccontextmanager
async def showing(**options: Any) -> AsyncIterator[Show]:
    """Such a camera while the block runs."""
    show = Show(**options)
    rolling = asyncio.create_task(show.roll())
    try:
        yield show
    finally:
        rolling.cancel()
        await show.close()
