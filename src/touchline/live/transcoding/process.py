"""One run of a transcoder: its process, the frames sent to it, and those received from it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

from touchline.ipc import wire
from touchline.ipc.listening import ListeningClock
from touchline.live.frames.frame import FrameEncoder, LiveFrame, read_frames
from touchline.live.frames.stream import CameraStream
from touchline.live.frames.subscription import SubscriptionClosed

CANNOT = 3
"""Exit status of a transcoder that does not support the pictures."""
SILENT_S = 10.0
"""A transcoder that receives frames and returns none for this long has failed."""
_END_S = 2.0
_LOOK_S = 0.25
_BUFFER_BYTES = 1 << 20
_KEYFRAME_PLEASE = wire.FeedHead(
    pts_ns=0, dts_ns=0, duration_ns=0, keyframe=True, broken=False, skipped=0,
    data_bytes=0, codec=None,
)  # fmt: skip


class TranscodeFailed(Exception):
    """The transcode cannot continue; the message says why."""


class TranscoderProcess:
    """A process that transcodes the frames of `source` into `own`.

    It runs while `is_wanted`. If it is still `is_watched` afterwards, its pictures are used up to
    the source's next keyframe. `pictures_come` is called for each picture.
    """

    def __init__(
        self,
        source: CameraStream,
        own: CameraStream,
        command: Sequence[str],
        *,
        is_wanted: Callable[[], bool],
        is_watched: Callable[[], bool],
        pictures_come: Callable[[], None],
    ) -> None:
        self._source = source
        self._own = own
        self._command = command
        self._is_wanted = is_wanted
        self._is_watched = is_watched
        self._pictures_come = pictures_come
        self.pid: int | None = None

    async def run(self) -> None:
        """Pass frames until the transcode is no longer wanted. Raises TranscodeFailed."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                "--name",
                self._source.name,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
            )
        except OSError as error:
            ours.close()
            raise TranscodeFailed(f"its process could not be started: {error.strerror}") from error
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
        self._own.attach(link)
        tasks = [
            asyncio.create_task(self._send(link)),
            asyncio.create_task(self._receive(reader)),
            asyncio.create_task(_ended(process)),
            asyncio.create_task(self._watch(link)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # the exit of a process is more informative than its broken connection
            if tasks[2] not in done:
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
        subscription = self._source.subscribe()
        try:
            async for frame in subscription:
                await link.send(frame)
        finally:
            subscription.close()

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        async for frame, _ in read_frames(reader):
            self._own.push(frame)
            self._pictures_come()

    async def _watch(self, link: _Link) -> None:
        """Return when it is no longer wanted. Raises TranscodeFailed if it returns no pictures."""
        listened_s = ListeningClock(slice_s=2 * _LOOK_S)
        heard_at_s, frames, sent = listened_s(), self._own.frames, 0
        while self._is_wanted():
            await asyncio.sleep(_LOOK_S)
            if self._own.frames != frames or link.frames == sent:
                heard_at_s = listened_s()
                frames, sent = self._own.frames, link.frames
            elif listened_s() - heard_at_s > SILENT_S:
                raise TranscodeFailed(f"it has returned no picture for {SILENT_S:g} s")
        if self._is_watched() and self._source.fed:
            await self._until_keyframe()

    async def _until_keyframe(self) -> None:
        """Wait for the source's next keyframe, at which viewers can switch to its own frames."""
        subscription = self._source.subscribe(with_gop=False)
        try:
            with contextlib.suppress(TimeoutError, SubscriptionClosed):
                await asyncio.wait_for(subscription.get(), SILENT_S)
        finally:
            subscription.close()


class _Link:
    """The connection to a transcoder: sends frames and keyframe requests."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.frames = 0
        self._writer = writer
        self._encoder = FrameEncoder()

    def write(self, data: bytes, /) -> None:
        """Forward a keyframe request."""
        del data
        if not self._writer.is_closing():
            self._writer.write(wire.encode_feed_head(_KEYFRAME_PLEASE))

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def send(self, frame: LiveFrame) -> None:
        """Forward a frame. Raises ConnectionError."""
        self._writer.write(self._encoder.encode(frame))
        await self._writer.drain()
        self.frames += 1


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the process to exit, then raise TranscodeFailed with its status."""
    status = await process.wait()
    if status == CANNOT:
        raise TranscodeFailed("its pictures are too large to transcode")
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    raise TranscodeFailed(f"its process exited {how}; see the log of the live process")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for the process, whose connection is closed, and kill it after a timeout."""
    if process.returncode is not None:
        return
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), _END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
