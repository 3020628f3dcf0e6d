"""What a camera is sent to viewers as: its own frames, or a transcode where these cannot be shown.

WebRTC shows pictures in the order in which they come, so a camera with B-frames cannot be passed
on as it is; HLS players must be able to begin at every keyframe (`joining.py`). Such a camera is
transcoded by one process of its own for all its viewers (`transcoder.py`), begun with the first
and ended some seconds after the last. What fails there ends nothing else: viewers get the camera's
own frames meanwhile, over WebRTC without those nobody needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from touchline.ipc import wire
from touchline.ipc.listening import ListeningClock
from touchline.live.frames.frame import Frame, read_frames
from touchline.live.frames.stream import Stream
from touchline.live.frames.streams import Streams
from touchline.live.frames.subscription import Closed
from touchline.media.mp4.writer import Codec

log = logging.getLogger(__name__)

CANNOT = 3
"""The exit status of a transcoder for pictures of a kind that it does not take."""
LINGER_S = 5.0
"""How long a transcode goes on without a viewer."""
MAX_TRANSCODES = 4
SETTLE_S = 4.0
"""How long a viewer waits for a transcode that is being started."""
SILENT_S = 10.0
"""A transcoder that takes frames and gives none for so long has failed."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
BASELINE = b"\x42\xc0\x1f"
"""Profile and level of what is transcoded, as an answer names them."""
_END_S = 2.0
_LOOK_S = 0.25
_BUFFER_BYTES = 1 << 20
_KEYFRAME_PLEASE = wire.FeedHead(
    pts_ns=0, dts_ns=0, duration_ns=0, keyframe=True, broken=False, skipped=0,
    data_bytes=0, codec=None,
)  # fmt: skip

State = Literal["starting", "running", "failed"]
Notify = Callable[[dict[str, Any]], None]


class TranscodeFailed(Exception):
    """The transcode cannot go on; the message says why."""


class Transcode:
    """One camera as its viewers get it where its own frames will not do: `current` is what to send.

    Belongs to the event loop. `join` and `leave` count viewers.
    """

    def __init__(
        self,
        source: Stream,
        changed: Callable[[Transcode], None],
        admit: Callable[[], str | None],
        *,
        command: tuple[str, ...] = (sys.executable, "-m", "touchline.live.transcoding.transcoder"),
        linger_s: float = LINGER_S,
    ) -> None:
        self.source = source
        self.name = source.name
        self.own = Stream(source.name)
        self.current = source
        self.state: State | None = None
        """None as long as the camera's own frames are what viewers are to get."""
        self.error: str | None = None
        self.failures = 0
        self.viewers = 0
        """Over WebRTC."""
        self.over_hls = False
        """Whether HLS shows the transcode."""
        self.pid: int | None = None
        self.has_process = False
        self._command = command
        self._linger_s = linger_s
        self._changed = changed
        self._admit = admit
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._left_at_s = 0.0
        source.when_order_changes(self._look)

    # ---------------------------------------------------------------- viewers

    @property
    def profile(self) -> bytes | None:
        """Profile, flags and level of what a viewer will get; None before that is known."""
        if self.source.reorders and self.state != "failed":
            return BASELINE
        codec = self.source.codec
        return codec.avcc[1:4] if codec is not None and len(codec.avcc) > 4 else None

    def request_keyframe(self) -> None:
        """Ask for a keyframe of what viewers are sent."""
        self.current.request_keyframe()

    def join(self) -> None:
        """Count a viewer; where the camera reorders, the transcode begins with the first."""
        self.viewers += 1
        self._begin()

    def leave(self) -> None:
        """One viewer less."""
        self.viewers -= 1
        self._left_at_s = time.monotonic()
        self._look()

    def show_over_hls(self, wanted: bool) -> None:  # noqa: FBT001  (a state that is set)
        """Have HLS shown the transcode from now on, or no longer."""
        if wanted is self.over_hls:
            return
        self.over_hls = wanted
        if wanted:
            self._begin()
        else:
            self._left_at_s = time.monotonic()
            self._look()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        self._look()

    async def settled(self) -> None:
        """Return once it is known what to send: the camera's own frames or the transcode's."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.decided(), SETTLE_S)

    async def decided(self) -> None:
        """Like `settled`, however long it takes."""
        while self._is_unsettled:
            await self._change.wait()

    @property
    def _is_unsettled(self) -> bool:
        if self.state == "failed" or not self.source.reorders:
            return False
        return self.current is self.source

    @property
    def reason(self) -> str:
        """Why the camera's own frames are not sent."""
        return wire.REORDERS if self.source.joinable else wire.UNJOINABLE

    def status(self) -> dict[str, Any]:
        """What the server is told of it."""
        codec = self.own.codec
        return {
            "state": self.state,
            "reason": self.reason,
            "error": self.error,
            "viewers": self.viewers,
            "over_hls": self.over_hls,
            "failures": self.failures,
            "frames": self.own.frames,
            "width": codec.width if codec else None,
            "height": codec.height if codec else None,
            "pid": self.pid,
        }

    async def close(self) -> None:
        """End it; returns when the process has gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _look(self) -> None:
        """Something has changed: have whoever waits look."""
        change, self._change = self._change, asyncio.Event()
        change.set()

    # ------------------------------------------------------------------- life

    @property
    def _is_watched(self) -> bool:
        return self.viewers > 0 or self.over_hls

    @property
    def _is_wanted(self) -> bool:
        lingers = time.monotonic() - self._left_at_s < self._linger_s
        return (self._is_watched or lingers) and self.source.reorders and self.source.fed

    async def _run(self) -> None:
        """Transcode while that is wanted; end when the last viewer has been gone for a while."""
        pause_s = FIRST_PAUSE_S
        try:
            while self._is_watched or self._is_wanted:
                if not self._is_wanted:
                    self._become(None)
                    await self._wait(1.0)
                    continue
                began_s = time.monotonic()
                try:
                    if (full := self._admit()) is not None:
                        raise TranscodeFailed(full)
                    await self._transcode()
                except TranscodeFailed as failed:
                    if time.monotonic() - began_s > LONGEST_PAUSE_S:
                        pause_s = FIRST_PAUSE_S
                    self._fail(str(failed), pause_s)
                    await self._wait_out(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            self._become(None)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), seconds)

    async def _wait_out(self, pause_s: float) -> None:
        """Wait before another try, unless nobody wants one any more."""
        until_s = time.monotonic() + pause_s
        while self._is_wanted and time.monotonic() < until_s:
            await self._wait(min(_LOOK_S, pause_s))

    def _fail(self, reason: str, pause_s: float) -> None:
        self.failures += 1
        log.error(
            "%s cannot be transcoded: %s; viewers get its own frames, another try in %g s",
            self.name,
            reason,
            pause_s,
        )
        self._become("failed", reason)

    def _become(self, state: State | None, error: str | None = None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed(self)
            self._look()

    # -------------------------------------------------------------- one process

    async def _transcode(self) -> None:
        """Run one process until it is not wanted any more. Raises TranscodeFailed."""
        self._become("starting")
        self.has_process = True
        try:
            await self._run_process()
        finally:
            self._show_source()
            self.pid, self.has_process = None, False

    async def _run_process(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                "--name",
                self.name,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            ours.close()
            raise TranscodeFailed(f"its process cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        self.pid = process.pid
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_BUFFER_BYTES)
            try:
                await self._pass_frames(reader, writer, process)
            finally:
                writer.close()
        finally:
            await _end(process)

    async def _pass_frames(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        process: asyncio.subprocess.Process,
    ) -> None:
        link = _Link(writer)
        self.own.attach(link)
        tasks = [
            asyncio.create_task(self._send(link)),
            asyncio.create_task(self._receive(reader)),
            asyncio.create_task(_ended(process)),
            asyncio.create_task(self._mind(link)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[2] not in done:  # a process that ends says more than its broken connection
                await asyncio.wait(tasks[2:3], timeout=_LOOK_S if tasks[3] not in done else 0)
            for task in (tasks[2], *tasks):
                if task.done():
                    task.result()
        except (OSError, EOFError, ValueError) as error:
            raise TranscodeFailed(f"its connection broke: {error}") from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, link: _Link) -> None:
        subscription = self.source.subscribe()
        try:
            async for frame in subscription:
                await link.send(frame)
        finally:
            subscription.close()

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        async for frame, _ in read_frames(reader):
            self.own.push(frame)
            if self.current is self.source:
                self.current = self.own
                self._become("running")

    async def _mind(self, link: _Link) -> None:
        """Return when it is not wanted any more. Raises TranscodeFailed when it says nothing."""
        listened_s = ListeningClock(slice_s=2 * _LOOK_S)
        heard_at_s, frames, sent = listened_s(), self.own.frames, 0
        while self._is_wanted:
            await asyncio.sleep(_LOOK_S)
            if self.own.frames != frames or link.frames == sent:
                heard_at_s = listened_s()
                frames, sent = self.own.frames, link.frames
            elif listened_s() - heard_at_s > SILENT_S:
                raise TranscodeFailed(f"it has given no picture for {SILENT_S:g} s")
        if self._is_watched and self.source.fed:
            await self._until_keyframe()

    async def _until_keyframe(self) -> None:
        """The camera reorders no more: let viewers change over where its own frames begin anew."""
        subscription = self.source.subscribe(with_gop=False)
        try:
            with contextlib.suppress(TimeoutError, Closed):
                await asyncio.wait_for(subscription.get(), SILENT_S)
        finally:
            subscription.close()

    def _show_source(self) -> None:
        if self.current is not self.source:
            self.current = self.source
        self.own.lose()


class _Link:
    """The connection to a transcoder: frames in, and the wish for a keyframe."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.frames = 0
        self._writer = writer
        self._codec: Codec | None = None

    def write(self, data: bytes, /) -> None:
        """Pass the wish for a keyframe on."""
        del data
        if not self._writer.is_closing():
            self._writer.write(wire.encode_feed_head(_KEYFRAME_PLEASE))

    def close(self) -> None:
        """End the connection."""
        self._writer.close()

    async def send(self, frame: Frame) -> None:
        """Pass a frame on. Raises ConnectionError."""
        changed = frame.codec != self._codec
        self._codec = frame.codec
        head = wire.FeedHead(
            pts_ns=frame.pts_ns,
            dts_ns=frame.dts_ns,
            duration_ns=frame.duration_ns,
            keyframe=frame.keyframe,
            broken=frame.broken,
            skipped=0,
            data_bytes=len(frame.data),
            codec=frame.codec if changed else None,
        )
        self._writer.write(wire.encode_feed_head(head) + frame.data)
        await self._writer.drain()
        self.frames += 1


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the process. Raises TranscodeFailed with how it ended."""
    status = await process.wait()
    if status == CANNOT:
        raise TranscodeFailed("its pictures are larger than are transcoded")
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    raise TranscodeFailed(f"its process ended {how}; the live process's log says more")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have the process end; its connection is closed already."""
    if process.returncode is not None:
        return
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), _END_S)
    except TimeoutError:
        process.kill()
        await process.wait()


class Transcodes:
    """The cameras as viewers get them, by name."""

    def __init__(self, streams: Streams, notify: Notify, **options: Any) -> None:
        self._streams = streams
        self._notify = notify
        self._options = options
        self._by_name: dict[str, Transcode] = {}

    def of(self, camera: str) -> Transcode:
        """The camera's, made when it is named first."""
        if camera not in self._by_name:
            source = self._streams.get(camera)
            self._by_name[camera] = Transcode(source, self._told, self._room, **self._options)
        return self._by_name[camera]

    def status(self) -> dict[str, Any]:
        """Those that are in use."""
        return {
            name: each.status()
            for name, each in sorted(self._by_name.items())
            if each.state is not None
        }

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(each.close() for each in self._by_name.values()))

    def _room(self) -> str | None:
        running = sum(each.has_process for each in self._by_name.values())
        if running < MAX_TRANSCODES:
            return None
        return f"{running} cameras are transcoded already"

    def _told(self, transcode: Transcode) -> None:
        state, error = transcode.state, transcode.error
        log.info("transcode of %s: %s", transcode.name, state or "ended")
        self._notify(
            wire.event(
                "transcode",
                camera=transcode.name,
                state=state or "ended",
                reason=error or transcode.reason,
            )
        )
