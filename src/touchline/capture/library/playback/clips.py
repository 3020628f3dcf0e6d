"""Frame-accurate clips of a match, cut while they are sent, without a copy on disk.

Frames are taken from the segments unchanged. Only the few before the first IDR picture are
re-encoded, by the studio. Timing is preserved: where a camera filmed nothing its last frame is
held.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.library.library import Library
from touchline.capture.library.playback.announcements import Announcements, Terms
from touchline.capture.library.playback.footage import ARCHIVES, Footage
from touchline.capture.library.playback.playback import (
    SUFFIXES,
    Container,
    playlist,
    segment_media,
)
from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Failed, Invalid, NotFound, Refused
from touchline.foreign.files import open_regular
from touchline.media.mp4 import cut as mp4cut

LONGEST_S = 3 * 3600.0

LONGEST_EDGE_S = 20.0
"""Longest stretch in seconds that is re-encoded while a client waits.

Beyond that the excess is hidden instead.
"""

_CHUNK_BYTES = 1 << 20
_NANO = 1_000_000_000
_READERS = 4


@dataclass(frozen=True)
class Clip:
    """File cut out of other files.

    Sending it raises Failed if one of them has been removed.
    """

    name: str
    cut: mp4cut.Cut
    limiter: anyio.CapacityLimiter

    @property
    def size_bytes(self) -> int:
        """Size of the whole file."""
        return self.cut.size_bytes

    @property
    def etag(self) -> str:
        """Strong entity tag of the file."""
        return f'"{self.cut.digest}"'

    async def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Return the file's bytes from `start` up to, but not including, `end`."""
        pieces = _pieces(self.cut.between(start, end))
        while True:
            chunk = await to_thread.run_sync(_next, pieces, limiter=self.limiter)
            if not chunk:
                return
            yield chunk


@dataclass(frozen=True)
class MatchTimes:
    """Conversion of seconds of a match and dates to its own clock, in nanoseconds."""

    origin_ns: int
    unix_correction_ns: int

    def at_second(self, at_s: float) -> int:
        """Return the instant that many seconds into the match."""
        return self.origin_ns + round(at_s * 1e9)

    def at_date(self, unix_ns: int) -> int:
        """Return the instant of that date, with the latest clock correction."""
        return unix_ns - self.unix_correction_ns


class Clips:
    """Creation of clips and playlist segments."""

    def __init__(
        self, library: Library, footage: Footage, *, runtime_dir: Path, log_dir: Path
    ) -> None:
        self._library = library
        self._footage = footage
        self._runtime_dir = runtime_dir
        self._log_path = log_dir / "studio.log"
        self._limiter = anyio.CapacityLimiter(_READERS)
        self._announcements = Announcements(time.monotonic)

    async def clip(self, match_id: str, camera: str, from_ns: int, to_ns: int) -> Clip:
        """Return everything that a camera filmed in [from, to), on the match clock.

        Raises NotFound for an unknown match or if nothing was filmed then, Invalid for a stretch
        that is empty or too long, Refused if none of its files can be used, and Failed if its
        beginning cannot be encoded.
        """
        if to_ns <= from_ns:
            raise Invalid(
                "The end of the clip must be after its start",
                code="clip_empty",
                loc=("query", "end"),
            )
        if to_ns - from_ns > LONGEST_S * _NANO:
            text = f"A clip may last at most {LONGEST_S / 3600:g} hours"
            raise Invalid(text, code="clip_too_long", loc=("query", "end"))
        folder = await self._library.folder(match_id)
        filmed = await self._footage.read(folder, camera)
        overlapping = [p for p in filmed.pieces if p.start_ns < to_ns and p.end_ns > from_ns]
        planned = await to_thread.run_sync(
            partial(_plan, [p.source for p in overlapping], from_ns, to_ns), limiter=self._limiter
        )
        if not planned and filmed.refused:
            text = f"{camera} has no usable footage of that time: {filmed.refused}"
            raise Refused(text, code="footage_unusable")
        if not planned:
            raise NotFound(f"{camera} has no footage at that time", code="no_footage_then")
        made = [
            await self._recode_edge(piece) if isinstance(piece, mp4cut.Edge) else piece
            for piece in planned
        ]
        starts_ns = min(frame.at_ns for piece in made for frame in piece.frames)
        cut = await to_thread.run_sync(
            partial(mp4cut.join, made, starts_ns=starts_ns, shows_ns=(from_ns, to_ns)),
            limiter=self._limiter,
        )
        return Clip(f"{match_id}-{camera}.mp4", cut, self._limiter)

    async def playlist(self, match_id: str, camera: str, *, container: Container) -> str:
        """Return the VOD playlist of a camera or archive.

        For a running match it contains what is there so far. Raises NotFound and Refused as
        `Footage.read` does.
        """
        growing = self._is_growing(match_id, camera)
        filmed = await self._footage.read(await self._library.folder(match_id), camera)
        times = await self.clock_of(match_id)
        terms = Terms("VOD", times.unix_correction_ns)
        if camera not in ARCHIVES:
            terms = self._announcements.terms(
                match_id, times.origin_ns, times.unix_correction_ns, growing=growing
            )
        work = partial(
            playlist,
            match_id,
            camera,
            filmed.pieces,
            growing=growing,
            terms=terms,
            origin_ns=times.origin_ns,
            container=container,
        )
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _is_growing(self, match_id: str, camera: str) -> bool:
        """Return whether more footage may be added; call this before the files are read.

        Otherwise a match that ends while they are read would get an end without its last footage.
        """
        return camera not in ARCHIVES and self._library.is_running(match_id)

    async def vod_segment(
        self, match_id: str, camera: str, file_name: str, sequence: int, *, container: Container
    ) -> Clip:
        """Return the media segment of a VOD playlist that begins with a fragment of a file.

        Raises NotFound if the playlist has no segment there.
        """
        growing = self._is_growing(match_id, camera)
        filmed = await self._footage.read(await self._library.folder(match_id), camera)
        cut = await to_thread.run_sync(
            partial(
                segment_media,
                filmed.pieces,
                file_name,
                sequence,
                growing=growing,
                container=container,
            ),
            limiter=self._limiter,
        )
        return Clip(f"{camera}-{sequence}.{SUFFIXES[container]}", cut, self._limiter)

    async def clock_of(self, match_id: str) -> MatchTimes:
        """Return the match's clock.

        Raises NotFound for an unknown match and one without footage.
        """
        manifest = await self._library.manifest(match_id)
        if manifest.clock is None:
            raise NotFound(f"Recording {match_id} has no footage", code="no_such_footage")
        return MatchTimes(manifest.origin_ns, manifest.clock.unix_correction_ns)

    async def _recode_edge(self, edge: mp4cut.Edge) -> mp4cut.Recoded:
        out = self._runtime_dir / f"edge-{secrets.token_hex(6)}.h264"
        spec = mp4cut.edge_spec(edge, out)
        try:
            run = StudioRun("edges", spec, log_path=self._log_path)
            result = await run.run(lambda _: None, hurry=True)
            data = await anyio.Path(out).read_bytes()
            return mp4cut.build_edge(data, result, edge.source.codec)
        except ValueError as error:
            raise Failed(
                f"The start of the clip could not be cut: {error}", code="clip_failed"
            ) from error
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.Path(out).unlink(missing_ok=True)


def _plan(sources: Sequence[Any], from_ns: int, to_ns: int) -> list[mp4cut.Edge | mp4cut.Copy]:
    edge_ns = LONGEST_EDGE_S * _NANO
    opened = [source() for source in sources]
    return mp4cut.plan(opened, from_ns, to_ns, longest_edge_ns=edge_ns)


def _pieces(parts: Iterable[mp4cut.FileSpan | bytes]) -> Iterator[bytes]:
    """Read the parts, file by file."""
    open_path: Path | None = None
    descriptor = -1
    try:
        for part in parts:
            if isinstance(part, bytes):
                yield part
                continue
            if part.path != open_path:
                if descriptor >= 0:
                    os.close(descriptor)
                descriptor, open_path = open_regular(part.path), part.path
            at, end = part.offset, part.offset + part.size_bytes
            while at < end:
                data = os.pread(descriptor, min(_CHUNK_BYTES, end - at), at)
                if not data:
                    raise Failed(f"{part.path.name} was truncated", code="file_shrank")
                at += len(data)
                yield data
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _next(pieces: Iterator[bytes]) -> bytes:
    """Return about a megabyte more; empty at the end. Blocks."""
    found: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            found.append(piece)
            size += len(piece)
            if size >= _CHUNK_BYTES:
                break
    except OSError as error:
        raise Failed(f"The clip cannot be completed: {error}", code="clip_broken") from error
    return b"".join(found)
