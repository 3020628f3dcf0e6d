"""A camera that feeds a stream of the live process from the test's own process."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from typing import Any

from support.codedcamera import Coding, coded_frames
from touchline.live.frames.stream import CameraStream


class RollingCamera:
    """Feeds a stream at the camera's own pace."""

    def __init__(self, stream: CameraStream, coding: Coding) -> None:
        self.stream = stream
        self._footage = coded_frames(coding)
        stream.attach(self)

    def write(self, data: bytes, /) -> None:
        """A keyframe is asked for; this camera makes none on request."""

    def close(self) -> None:
        """The feed is ended."""

    def change(self, coding: Coding) -> None:
        """Another coding from the next frame on, as when a camera is reconfigured."""
        self._footage = coded_frames(coding)

    def push(self, count: int) -> None:
        for frame in islice(self._footage, count):
            self.stream.push(frame)

    async def roll(self) -> None:
        """Send each frame when it was captured."""
        for frame in self:
            await asyncio.sleep((frame.dts_ns - time.monotonic_ns()) / 1e9)
            self.stream.push(frame)

    def __iter__(self) -> RollingCamera:
        return self

    def __next__(self) -> Any:
        return next(self._footage)
