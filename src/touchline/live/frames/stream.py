"""The encoded frames of one camera for any number of readers, with the newest GOP kept.

A reader that falls behind loses frames up to the next keyframe; other readers are not affected.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from touchline.ipc import wire
from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.joining import Joining
from touchline.live.frames.shownorder import ShownOrder
from touchline.live.frames.subscription import Subscription
from touchline.media.h264.codec import Codec

log = logging.getLogger(__name__)

GOP_LIMIT_BYTES = 32 << 20
"""A larger GOP is not kept: 10 s at 25 Mbit/s."""
QUEUE_LIMIT_BYTES = 16 << 20
"""Queue limit of a reader. It must hold a kept GOP of ordinary size for a reader that joins."""
KEYFRAME_EVERY_S = 0.5
"""Minimum interval of keyframe requests, however many viewers want one."""


class Feeder(Protocol):
    """The source of a stream's frames: a byte that is written to it requests a keyframe."""

    def write(self, data: bytes, /) -> None:
        """Request a keyframe."""

    def close(self) -> None:
        """End the feed."""


class ViewedStream(Protocol):
    """Source of a viewer's frames: `current` is the stream to send, and may change."""

    name: str

    @property
    def current(self) -> CameraStream:
        """The stream to send now."""


class CameraStream:
    """One camera's frames. A stream is created when it is first named, even without a feed."""

    def __init__(self, name: str, changed: Callable[[CameraStream], None] | None = None) -> None:
        self.name = name
        self.codec: Codec | None = None
        self.frames = 0
        self.keyframes = 0
        self.bytes = 0
        self.skipped = 0
        """Frames dropped by the worker because this process read too slowly."""
        self.dropped = 0
        """Frames dropped for readers in this process, in total."""
        self.gop_ns = 0
        """The longest recent time between two keyframes; 0 until there were two."""
        self._changed = changed
        self._order = ShownOrder()
        self._joining = Joining()
        self._order_watchers: list[Callable[[], None]] = []
        self._writer: Feeder | None = None
        self._subscribers: tuple[Subscription, ...] = ()
        self._gop: list[LiveFrame] = []
        self._gop_bytes = 0
        self._last_keyframe_ns: int | None = None
        self._broken = False
        self._asked_at_s = 0.0
        self._up = asyncio.Event()

    @property
    def current(self) -> CameraStream:
        """The stream itself, for viewers that receive its own frames."""
        return self

    @property
    def up(self) -> bool:
        """Whether frames arrive and the first keyframe has arrived."""
        return self._up.is_set()

    @property
    def fed(self) -> bool:
        """Whether a feed is connected."""
        return self._writer is not None

    @property
    def reorders(self) -> bool:
        """Whether pictures do not arrive in presentation order."""
        return self._order.reorders

    @property
    def joinable(self) -> bool:
        """Whether every player can start at its keyframes."""
        return self._joining.possible

    def when_order_changes(self, call: Callable[[], None]) -> None:
        """Call `call` whenever `reorders` or `joinable` has changed."""
        self._order_watchers.append(call)

    @property
    def subscribers(self) -> int:
        """Number of readers."""
        return len(self._subscribers)

    async def wait_up(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` for the first keyframe; return whether it has arrived."""
        try:
            await asyncio.wait_for(self._up.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def subscribe(
        self, *, with_gop: bool = True, limit_bytes: int = QUEUE_LIMIT_BYTES
    ) -> Subscription:
        """Return a reader's queue; with `with_gop` it holds the newest GOP. Close it when done.

        Without a GOP that fits, it starts with the next keyframe, which is then requested.
        """
        subscription = Subscription(self, limit_bytes)
        if with_gop and self._gop and self._gop_bytes <= limit_bytes:
            for frame in self._gop:
                subscription.push(frame)
        else:
            self.request_keyframe()
        self._subscribers = (*self._subscribers, subscription)
        return subscription

    def count_dropped(self) -> None:
        """Count a frame that was dropped for a reader in this process."""
        self.dropped += 1

    def forget(self, subscription: Subscription) -> None:
        """Remove a reader."""
        self._subscribers = tuple(s for s in self._subscribers if s is not subscription)

    def request_keyframe(self) -> None:
        """Request a keyframe from the camera's encoder, if it has one; a camera may ignore it."""
        now_s = time.monotonic()
        if self._writer is None or now_s - self._asked_at_s < KEYFRAME_EVERY_S:
            return
        self._asked_at_s = now_s
        self._writer.write(wire.KEYFRAME_PLEASE)

    def attach(self, writer: Feeder) -> None:
        """Accept frames from this worker from now on; close an earlier feed."""
        if self._writer is not None:
            self._writer.close()
        self._restart()
        self._writer = writer

    def detach(self, writer: Feeder) -> None:
        """Handle the end of a worker's feed."""
        if writer is self._writer:
            self._writer = None
            self._restart()
            if self._up.is_set():
                self._up.clear()
                self._notify()

    def close_subscriptions(self) -> None:
        """Close all subscriptions, because the source ended and nothing replaces it."""
        if self._writer is not None:
            self.detach(self._writer)
        self.begin_again()

    def close_feed(self) -> None:
        """Close the worker's feed, so that it stops sending."""
        if self._writer is not None:
            self._writer.close()

    def push(self, frame: LiveFrame, *, skipped: int = 0) -> None:
        """Pass a frame from the worker to all readers."""
        self.skipped += skipped
        self._broken = self._broken or frame.broken or skipped > 0
        if self._broken:
            if not frame.keyframe:
                self._gop, self._gop_bytes = [], 0
                return
            frame, self._broken = frame._replace(broken=True), False
        self.frames += 1
        self.bytes += len(frame.data)
        self.codec = frame.codec
        order_changed = self._order.see(frame)
        order_changed = self._joining.see(frame) or order_changed
        if frame.keyframe:
            self._keyframe(frame)
        if frame.keyframe or self._gop:
            self._gop.append(frame)
            self._gop_bytes += len(frame.data)
            if self._gop_bytes > GOP_LIMIT_BYTES:
                self._gop, self._gop_bytes = [], 0
        for subscription in self._subscribers:
            subscription.push(frame)
        if order_changed:
            for call in self._order_watchers:
                call()
        if frame.keyframe and not self._up.is_set():
            self._up.set()
            self._notify()

    def _keyframe(self, frame: LiveFrame) -> None:
        self.keyframes += 1
        self._gop, self._gop_bytes = [], 0
        if self._last_keyframe_ns is not None and not frame.broken:
            # A requested keyframe comes early and does not show the camera's own interval.
            length_ns = frame.dts_ns - self._last_keyframe_ns
            self.gop_ns = max(length_ns, self.gop_ns - self.gop_ns // 16)
        self._last_keyframe_ns = frame.dts_ns

    def _restart(self) -> None:
        self._gop, self._gop_bytes = [], 0
        self._last_keyframe_ns = None
        self._order.begin()
        self._joining.begin()
        self._broken = self.frames > 0

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed(self)

    def status(self) -> dict[str, Any]:
        """Return the stream's state for the server."""
        return {
            "up": self.up,
            "fed": self.fed,
            "subscribers": self.subscribers,
            "frames": self.frames,
            "bytes": self.bytes,
            "skipped": self.skipped,
            "dropped": self.dropped,
            "reorders": self.reorders,
            "joinable": self.joinable,
        }

    def begin_again(self) -> None:
        """Close all subscriptions, so that readers subscribe again."""
        for subscription in self._subscribers:
            subscription.close()
