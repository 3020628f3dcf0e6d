"""The coded frames of each camera for anybody who wants them: newest GOP kept, slow readers leak.

Belongs to the event loop. A reader that falls behind loses frames up to the next keyframe; nobody
else notices.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, Protocol

from touchline.ipc import wire
from touchline.live.transcoding.joining import Joining
from touchline.live.transcoding.shownorder import ShownOrder
from touchline.media.mp4.writer import Codec

log = logging.getLogger(__name__)

GOP_LIMIT_BYTES = 32 << 20
"""A GOP larger than this is not kept: 10 s at 25 Mbit/s."""
QUEUE_LIMIT_BYTES = 16 << 20
"""What may wait for one reader. It must hold a kept GOP of ordinary size for one who joins."""
KEYFRAME_EVERY_S = 0.5
"""Keyframes are asked for no more often than this, however many viewers want one."""


class Frame(NamedTuple):
    """One coded picture in AVC form (units with lengths, decoder configuration in `codec.avcc`).

    Times are CLOCK_MONOTONIC nanoseconds; `pts_ns` is the capture. `broken` says that the frame
    does not continue the one before; it is then a keyframe.
    """

    data: bytes
    pts_ns: int
    dts_ns: int
    duration_ns: int
    keyframe: bool
    broken: bool
    codec: Codec


class Feeder(Protocol):
    """Where a stream's frames come from: a byte that is written asks for a keyframe."""

    def write(self, data: bytes, /) -> None:
        """Ask for a keyframe."""

    def close(self) -> None:
        """End the feed."""


class Shown(Protocol):
    """What a viewer is shown: `current` is the stream to send, and may become another one."""

    name: str

    @property
    def current(self) -> Stream:
        """The stream to send now."""


class Closed(Exception):
    """The subscription was closed; there are no more frames."""


class Subscription:
    """One reader's queue: `async for frame in subscription`, from a keyframe on."""

    def __init__(self, stream: Stream, limit_bytes: int) -> None:
        self.dropped = 0
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._keyframes = 0
        self._needs_keyframe = True
        self._lost = False
        self._closed = False
        self._news = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Frames that wait to be read."""
        return len(self._queue)

    @property
    def newest_pts_ns(self) -> int | None:
        """When the newest of the frames that wait was captured; None where none waits."""
        return self._queue[-1].pts_ns if self._queue else None

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Frame:
        try:
            return await self.get()
        except Closed:
            raise StopAsyncIteration from None

    async def get(self) -> Frame:
        """The next frame. Raises Closed."""
        while not self._queue:
            if self._closed:
                raise Closed
            self._news.clear()
            await self._news.wait()
        return self._take()

    def skip_to_keyframe(self) -> None:
        """Leave out what waits in front of the newest keyframe: for who wants the present."""
        while self._keyframes > 1 or (self._keyframes == 1 and not self._queue[0].keyframe):
            self._take()
            self.dropped += 1
            self._stream.dropped += 1

    def _take(self) -> Frame:
        frame = self._queue.popleft()
        self._queued_bytes -= len(frame.data)
        self._keyframes -= frame.keyframe
        return frame

    def push(self, frame: Frame) -> None:
        """Take a frame or leave it out; the stream calls this."""
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
        self._news.set()

    def _drop(self) -> None:
        if self._stream.up:
            self.dropped += 1
            self._stream.dropped += 1
            self._lost = True

    def close(self) -> None:
        """Read no more; whoever waits in `get` is told."""
        self._closed = True
        self._queue.clear()
        self._queued_bytes = self._keyframes = 0
        self._stream.forget(self)
        self._news.set()


class Stream:
    """One camera's frames. It is there from the first time somebody names it, fed or not."""

    def __init__(self, name: str, changed: Callable[[Stream], None] | None = None) -> None:
        self.name = name
        self.codec: Codec | None = None
        self.frames = 0
        self.keyframes = 0
        self.bytes = 0
        self.skipped = 0
        """Frames that the worker left out because this process read too slowly."""
        self.dropped = 0
        """Frames that readers here left out, all of them together."""
        self.gop_ns = 0
        """The longest time between two keyframes lately; 0 until there were two."""
        self._changed = changed
        self._order = ShownOrder()
        self._joining = Joining()
        self._order_watchers: list[Callable[[], None]] = []
        self._writer: Feeder | None = None
        self._subscribers: tuple[Subscription, ...] = ()
        self._gop: list[Frame] = []
        self._gop_bytes = 0
        self._last_keyframe_ns: int | None = None
        self._broken = False
        self._asked_at_s = 0.0
        self._up = asyncio.Event()

    @property
    def current(self) -> Stream:
        """Itself: what is sent to whoever is shown this stream as it is."""
        return self

    @property
    def up(self) -> bool:
        """Whether frames are coming, and the first keyframe has come."""
        return self._up.is_set()

    @property
    def fed(self) -> bool:
        """Whether somebody sends frames, or is about to."""
        return self._writer is not None

    @property
    def reorders(self) -> bool:
        """Whether its pictures come in another order than they are shown in."""
        return self._order.reorders

    @property
    def joinable(self) -> bool:
        """Whether every player can begin at its keyframes."""
        return self._joining.possible

    def when_order_changes(self, call: Callable[[], None]) -> None:
        """Have `call` called whenever `reorders` or `joinable` has changed."""
        self._order_watchers.append(call)

    @property
    def subscribers(self) -> int:
        """How many readers there are."""
        return len(self._subscribers)

    async def wait_up(self, timeout_s: float) -> bool:
        """Whether the first keyframe is here, at the latest after `timeout_s`."""
        try:
            await asyncio.wait_for(self._up.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def subscribe(
        self, *, with_gop: bool = True, limit_bytes: int = QUEUE_LIMIT_BYTES
    ) -> Subscription:
        """A reader's queue; with `with_gop` it holds the newest GOP so far. Close it when done.

        Without a GOP that fits it begins with the next keyframe, which is then asked for.
        """
        subscription = Subscription(self, limit_bytes)
        if with_gop and self._gop and self._gop_bytes <= limit_bytes:
            for frame in self._gop:
                subscription.push(frame)
        else:
            self.request_keyframe()
        self._subscribers = (*self._subscribers, subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Give this reader nothing more."""
        self._subscribers = tuple(s for s in self._subscribers if s is not subscription)

    def request_keyframe(self) -> None:
        """Ask the camera's encoder, if it has one, for a keyframe; a camera may ignore it."""
        now_s = time.monotonic()
        if self._writer is None or now_s - self._asked_at_s < KEYFRAME_EVERY_S:
            return
        self._asked_at_s = now_s
        self._writer.write(wire.KEYFRAME_PLEASE)

    def attach(self, writer: Feeder) -> None:
        """A worker feeds this stream from now on; one that did before is sent away."""
        if self._writer is not None:
            self._writer.close()
        self._begin_anew()
        self._writer = writer

    def detach(self, writer: Feeder) -> None:
        """That worker's feed has ended."""
        if writer is self._writer:
            self._writer = None
            self._begin_anew()
            if self._up.is_set():
                self._up.clear()
                self._tell()

    def lose(self) -> None:
        """What fed this stream is gone, and nothing takes its place: all readers are told."""
        if self._writer is not None:
            self.detach(self._writer)
        self.begin_again()

    def hang_up(self) -> None:
        """End the worker's feed, so that it stops sending."""
        if self._writer is not None:
            self._writer.close()

    def push(self, frame: Frame, *, skipped: int = 0) -> None:
        """A frame from the worker, on its way to all readers."""
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
            self._tell()

    def _keyframe(self, frame: Frame) -> None:
        self.keyframes += 1
        self._gop, self._gop_bytes = [], 0
        if self._last_keyframe_ns is not None and not frame.broken:
            # One that was asked for comes early and says nothing of the camera's own distance.
            length_ns = frame.dts_ns - self._last_keyframe_ns
            self.gop_ns = max(length_ns, self.gop_ns - self.gop_ns // 16)
        self._last_keyframe_ns = frame.dts_ns

    def _begin_anew(self) -> None:
        self._gop, self._gop_bytes = [], 0
        self._last_keyframe_ns = None
        self._order.begin()
        self._joining.begin()
        self._broken = self.frames > 0

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self)

    def status(self) -> dict[str, Any]:
        """What the server is told of it."""
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
        """Have all readers begin anew: their subscriptions are closed."""
        for subscription in self._subscribers:
            subscription.close()


async def read_frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[Frame, int]]:
    """The frames of a feed, and how many were left out in front of each.

    Raises IncompleteReadError at its end, and ValueError for what is no feed.
    """
    codec = Codec(0, 0, b"")
    while True:
        raw = await reader.readexactly(wire.FEED_HEAD.size)
        head, avcc_bytes = wire.decode_feed_head(raw)
        if head.codec is not None:
            codec = head.codec._replace(avcc=await reader.readexactly(avcc_bytes))
        frame = Frame(
            data=await reader.readexactly(head.data_bytes),
            pts_ns=head.pts_ns,
            dts_ns=head.dts_ns,
            duration_ns=head.duration_ns,
            keyframe=head.keyframe,
            broken=head.broken,
            codec=codec,
        )
        yield frame, head.skipped


class Streams:
    """The streams by name, and the door through which workers feed them."""

    def __init__(self, changed: Callable[[Stream], None] | None = None) -> None:
        self._changed = changed
        self._by_name: dict[str, Stream] = {}

    def get(self, name: str) -> Stream:
        """The camera's stream, made when it is named first."""
        if name not in self._by_name:
            self._by_name[name] = Stream(name, self._changed)
        return self._by_name[name]

    def find(self, name: str) -> Stream | None:
        """The camera's stream if it was ever named."""
        return self._by_name.get(name)

    def status(self) -> dict[str, Any]:
        """All of them."""
        return {name: stream.status() for name, stream in sorted(self._by_name.items())}

    def hang_up(self) -> None:
        """End every worker's feed."""
        for stream in self._by_name.values():
            stream.hang_up()

    async def serve_feed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One worker's feed until it ends."""
        stream: Stream | None = None
        try:
            hello = wire.decode(await reader.readline())
            stream = self.get(str(hello["camera"]))
            stream.attach(writer)
            async for frame, skipped in read_frames(reader):
                if not writer.is_closing():
                    stream.push(frame, skipped=skipped)
        except (asyncio.IncompleteReadError, ConnectionError):
            log.info("a feed ended: %s", stream.name if stream else "nameless")
        except (KeyError, ValueError) as error:
            log.warning("a feed is given up: %s", error)
        finally:
            if stream is not None:
                stream.detach(writer)
            writer.close()
