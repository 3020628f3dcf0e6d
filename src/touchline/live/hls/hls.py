"""One camera over HLS: files in a folder in memory, and a playlist with blocking reload."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.stream import CameraStream
from touchline.live.frames.subscription import Subscription
from touchline.live.hls.packager import File, Packager, PlaylistEnd, PlaylistShape, Position
from touchline.live.hls.playlist import PlaylistSegment
from touchline.live.transcoding.transcode import CameraTranscode

log = logging.getLogger(__name__)

KEPT_BEHIND = 3
"""Segments kept after they left the playlist, for players that are still fetching them."""
WAIT_S = 6.0
"""Time limit of a request that waits for a future segment or part."""
_NEXT_PART_S = 2.0
_TOO_FAR_AHEAD = 2
"""A player that requests a segment further ahead than this refers to another stream."""


class Hls:
    """Files and playlist of one camera while it is shown."""

    def __init__(
        self,
        shown: CameraTranscode,
        folder: Path,
        shape: PlaylistShape,
        *,
        after: PlaylistEnd | None = None,
    ) -> None:
        """Start packaging; `after` is the end of an earlier preview that players may still have."""
        self._shown = shown
        self._camera = shown.name
        self._folder = folder
        self._packager = Packager(
            shown.name,
            shape,
            token=secrets.token_hex(6),
            monotonic_ns=time.monotonic_ns(),
            unix_minus_monotonic_ns=lambda: time.time_ns() - time.monotonic_ns(),
            gop_ns=shown.source.gop_ns,
            after=after,
        )
        self._first = self._packager.ended.sequence + 1
        # State for players: never ahead of the files in the folder.
        self._text = ""
        self._position: Position | None = None
        self._next_part = ""
        self._behind: deque[PlaylistSegment] = deque()
        self._files: set[str] = set()
        self._gathered: list[bytes] = []
        self._change = asyncio.Event()
        self._failing = False
        self._closed = False
        self._closing = asyncio.Event()
        self._subscription = shown.source.subscribe()
        self._task = asyncio.create_task(self._run())

    @property
    def ended(self) -> PlaylistEnd:
        """End of the playlist, from which the camera's next preview continues."""
        return self._packager.ended

    async def playlist(self, sequence: int | None, part: int | None) -> str | None:
        """Return the playlist once it has this segment or part; None after the time limit."""
        deadline_s = time.monotonic() + WAIT_S
        while not self._has(sequence, part):
            if not await self._wait(deadline_s):
                return await self._parts_only() if sequence is None else None
        return self._text

    async def _parts_only(self) -> str | None:
        """Return the playlist without a complete segment; players that support parts can use it."""
        if not self._text:
            return None
        self._packager.tell()
        # The playlist with the next part has the target duration that `tell` fixed.
        return self._text if await self._wait(time.monotonic() + _NEXT_PART_S) else None

    def _has(self, sequence: int | None, part: int | None) -> bool:
        position = self._position
        if position is None:
            return False
        # first request: a player without support for parts needs a complete segment
        if sequence is None:
            return position.whole or position.sequence > self._first
        return position.has(sequence, part) or sequence > position.sequence + _TOO_FAR_AHEAD

    async def wait_for(self, name: str) -> bool:
        """Return whether the file exists, waiting for the next part."""
        deadline_s = time.monotonic() + WAIT_S
        while name not in self._files:
            if name != self._next_part or not await self._wait(deadline_s):
                return name in self._files
        return True

    async def _wait(self, deadline_s: float) -> bool:
        """Wait for a change until the deadline; return whether there was one."""
        left_s = deadline_s - time.monotonic()
        if self._closed or left_s <= 0:
            return False
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._change.wait(), left_s)
        return not self._closed

    async def close(self) -> None:
        """Stop, wake all waiting requests, and remove the files."""
        self._closed = True
        self._closing.set()
        self._subscription.close()
        self._wake_requests()
        await self._task
        await asyncio.to_thread(self._remove, tuple(self._files))

    # -------------------------------------------------------------- packaging

    async def _run(self) -> None:
        stream = self._shown.source
        try:
            while True:
                await self._package(stream, self._subscription)
                if not self._closed:
                    await self._prepare_transcode()
                if self._closed:
                    return
                stream = self._packaged_stream
                self._subscription = stream.subscribe()
        finally:
            self._shown.show_over_hls(wanted=False)

    @property
    def _packaged_stream(self) -> CameraStream:
        """Stream to package: the transcode if players cannot start at the camera's keyframes."""
        return self._shown.source if self._shown.source.joinable else self._shown.current

    async def _prepare_transcode(self) -> None:
        """Start the transcode if it is needed; return once it runs or has failed."""
        needed = not self._shown.source.joinable
        self._shown.show_over_hls(wanted=needed)
        if needed:
            waits = [
                asyncio.create_task(self._shown.decided()),
                asyncio.create_task(self._closing.wait()),
            ]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in waits:
                each.cancel()

    async def _package(self, stream: CameraStream, subscription: Subscription) -> None:
        """Package these frames until another stream is wanted, or this one restarts."""
        try:
            async for frame in subscription:
                if not self._is_right_stream(stream):
                    self._packager.leave_out()
                    return
                if stream is self._shown.own and self._packager.is_long_enough(frame.dts_ns):
                    stream.request_keyframe()
                await self._take(frame)
        finally:
            subscription.close()

    def _is_right_stream(self, stream: CameraStream) -> bool:
        """Return whether players should receive this stream, as far as is known now."""
        needed = not self._shown.source.joinable
        return needed is self._shown.over_hls and self._packaged_stream is stream

    async def _take(self, frame: LiveFrame) -> None:
        packager = self._packager
        files = packager.take(frame)
        if not files:
            return
        try:
            await asyncio.to_thread(self._store, files)
        except OSError as error:
            if not self._failing:
                log.error("HLS of %s cannot be stored: %s", self._camera, error)
            self._failing = True
            return
        self._failing = False
        self._text, self._position = packager.render(), packager.position
        self._next_part = packager.next_part
        self._wake_requests()

    def _wake_requests(self) -> None:
        news, self._change = self._change, asyncio.Event()
        news.set()

    def _store(self, files: Sequence[File]) -> None:
        for file in files:
            self._write(file.name, file.data)
            segment = file.parts_of
            if segment is None:
                continue
            self._gathered.append(file.data)
            # it was the last part, and a segment is the concatenation of its parts
            if segment.whole:
                self._write(segment.name, b"".join(self._gathered))
                self._gathered.clear()
        self._forget_old()

    def _write(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)
        self._files.add(name)

    def _forget_old(self) -> None:
        self._behind += self._packager.forget_old()
        while len(self._behind) > KEPT_BEHIND:
            segment = self._behind.popleft()
            following = self._behind[0] if self._behind else self._packager.segments[0]
            names = [segment.name, *(part.name for part in segment.parts)]
            if segment.init != following.init:
                names.append(segment.init)
            self._remove(names)

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._files.discard(name)
            (self._folder / name).unlink(missing_ok=True)
