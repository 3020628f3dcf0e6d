"""A reader's queue of frames: bounded, and restarted at a keyframe after an overflow."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from touchline.live.frames.frame import LiveFrame


class SubscriptionClosed(Exception):
    """The subscription was closed; there are no more frames."""


class Publisher(Protocol):
    """The source of a subscription's frames."""

    @property
    def up(self) -> bool:
        """Whether frames arrive."""

    def count_dropped(self) -> None:
        """Count a frame that was dropped for a reader."""

    def forget(self, subscription: Subscription) -> None:
        """Remove a reader."""


class Subscription:
    """One reader's queue: `async for frame in subscription`, starting with a keyframe."""

    def __init__(self, stream: Publisher, limit_bytes: int) -> None:
        self.dropped = 0
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._queue: deque[LiveFrame] = deque()
        self._queued_bytes = 0
        self._keyframes = 0
        self._needs_keyframe = True
        self._lost = False
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Number of frames waiting to be read."""
        return len(self._queue)

    @property
    def newest_pts_ns(self) -> int | None:
        """Capture time of the newest waiting frame; None if none waits."""
        return self._queue[-1].pts_ns if self._queue else None

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> LiveFrame:
        try:
            return await self.get()
        except SubscriptionClosed:
            raise StopAsyncIteration from None

    async def get(self) -> LiveFrame:
        """Return the next frame. Raises Closed."""
        while not self._queue:
            if self._closed:
                raise SubscriptionClosed
            self._changed.clear()
            await self._changed.wait()
        return self._take()

    def skip_to_keyframe(self) -> None:
        """Drop the frames before the newest waiting keyframe."""
        while self._keyframes > 1 or (self._keyframes == 1 and not self._queue[0].keyframe):
            self._take()
            self.dropped += 1
            self._stream.count_dropped()

    def _take(self) -> LiveFrame:
        frame = self._queue.popleft()
        self._queued_bytes -= len(frame.data)
        self._keyframes -= frame.keyframe
        return frame

    def push(self, frame: LiveFrame) -> None:
        """Queue a frame or drop it; the stream calls this."""
        if self._needs_keyframe and not frame.keyframe:
            self._drop()
            return
        if self._queue and self._queued_bytes + len(frame.data) > self._limit_bytes:
            self._needs_keyframe = True
            self._drop()
            return
        if self._lost and not frame.broken:
            frame = frame._replace(broken=True)
        self._needs_keyframe = self._lost = False
        self._queue.append(frame)
        self._queued_bytes += len(frame.data)
        self._keyframes += frame.keyframe
        self._changed.set()

    def _drop(self) -> None:
        if self._stream.up:
            self.dropped += 1
            self._stream.count_dropped()
            self._lost = True

    def close(self) -> None:
        """Stop reading; a pending `get` raises Closed."""
        self._closed = True
        self._queue.clear()
        self._queued_bytes = self._keyframes = 0
        self._stream.forget(self)
        self._changed.set()
