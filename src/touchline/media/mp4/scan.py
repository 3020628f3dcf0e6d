"""Reading of segment files: content and damage, and repair of their end.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from touchline.foreign.files import open_regular, reading
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import writer
from touchline.media.mp4.movie import read_codec
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.mp4.walk import READ_BYTES, NotSegment, ScannedFragment, SegmentScan, Walk
from touchline.media.storage.disk import Disk, claim

__all__ = [
    "Indexed",
    "NotSegment",
    "Reopened",
    "codec_of",
    "finish",
    "index",
    "remove_empty",
    "reopen",
    "salvage",
    "scan",
]

_LARGEST_BEGUN_BYTES = 32 << 20
"""Limit of a file with no more than a part of its first fragment, which is one picture."""
_SUSPECT_BYTES = 64 << 20
"""Size of the file's end that a power cut may have left unwritten, with a large margin."""


def scan(path: str | os.PathLike[str], *, checksums: bool) -> SegmentScan:
    """Walk every fragment of a segment; with `checksums` also read and check every byte.

    Raises OSError if the file cannot be read, and NotSegment if touchline did not write it.
    """
    fd = open_regular(path)
    try:
        return Walk(fd, os.fspath(path), checksums=checksums).run()
    finally:
        os.close(fd)


def salvage(path: str | os.PathLike[str]) -> SegmentScan:
    """Truncate a segment that was left open to its last complete fragment and finish it.

    Checksums are compared in the last 64 MiB; fragments before were synced long ago. Can be
    repeated. A finished file, and a segment without a complete fragment, are left unchanged.
    Returns the scan made before. Raises OSError with EBUSY if another process is still writing the
    file.
    """
    fd = open_regular(path, os.O_RDWR)
    try:
        claim(fd)
        suspect_from = max(0, os.fstat(fd).st_size - _SUSPECT_BYTES)
        walk = Walk(
            fd, os.fspath(path), checksums=True, checksums_from=suspect_from, keep_samples=True
        )
        found = walk.run()
        if not found.finalized and found.fragments and walk.table is not None:
            os.ftruncate(fd, found.good_bytes)
            finish(Disk(), fd, walk.table, found.good_bytes, found.fragments[-1].sequence + 1)
        return found
    finally:
        os.close(fd)


def remove_empty(path: str | os.PathLike[str]) -> bool:
    """Remove a segment that was left open without a complete fragment; return whether it was one.

    Its process ended between creating the file and syncing its first fragment. A larger file is
    damaged instead, and kept. Raises OSError with EBUSY if another process is still writing it.
    """
    fd = open_regular(path, os.O_RDWR)
    try:
        claim(fd)
        found = Walk(fd, os.fspath(path), checksums=False).run()
        if found.finalized or found.fragments or found.size_bytes > _LARGEST_BEGUN_BYTES:
            return False
        os.unlink(path)
        return True
    finally:
        os.close(fd)


def codec_of(path: str | os.PathLike[str]) -> Codec:
    """Read the codec of a segment from its header. Raises OSError and NotSegment."""
    with reading(path) as file:
        head = file.read(READ_BYTES)
    try:
        if not head.startswith(writer.init_part_head()):
            raise ValueError
        # A finished file's first `mdat` contains this box, so use its known position.
        moov = head[writer.FREE_OFFSET + len(writer.FREE) :]
        return read_codec(moov[: int.from_bytes(moov[:4], "big")])
    except ValueError as error:
        raise NotSegment(f"{os.fspath(path)} is not a segment of touchline") from error


class Indexed(NamedTuple):
    """Scan of a segment, with position and time of each frame in its complete fragments."""

    scan: SegmentScan
    table: SampleTable


def index(path: str | os.PathLike[str]) -> Indexed:
    """Index every complete fragment, also of a segment being written; checks nothing.

    Raises OSError and NotSegment.
    """
    fd = open_regular(path)
    try:
        walk = Walk(fd, os.fspath(path), checksums=False, keep_samples=True)
        found = walk.run()
    finally:
        os.close(fd)
    if walk.table is None:
        raise NotSegment(f"{os.fspath(path)} has no header")
    return Indexed(found, walk.table)


class Reopened(NamedTuple):
    """Complete fragments of an open segment, tables of their frames, and the last one's end."""

    fragments: tuple[ScannedFragment, ...]
    table: SampleTable
    end_offset: int


def reopen(path: str | os.PathLike[str]) -> Reopened | None:
    """Prepare an open segment for further writing; every byte is checked.

    Returns None if it cannot be continued: it is finished, or has no complete fragment. Nothing is
    written. Raises OSError and NotSegment.
    """
    fd = open_regular(path)
    try:
        walk = Walk(fd, os.fspath(path), checksums=True, keep_samples=True)
        found = walk.run()
    finally:
        os.close(fd)
    if found.finalized or not found.fragments or walk.table is None:
        return None
    return Reopened(found.fragments, walk.table, found.good_bytes)


def finish(disk: Disk, fd: int, table: SampleTable, end_offset: int, sequence: int) -> int:
    """Convert an open segment that ends at `end_offset` to an ordinary MP4, durably.

    Returns the file's size. Raises OSError; the file is then still a playable fragmented MP4, and
    finishing it can be retried.
    """
    tail = writer.final_part(table, sequence)
    try:
        disk.write_all(fd, tail, end_offset)
        disk.sync(fd)  # the tables must be on the disk before the header refers to them
    except OSError:
        disk.cut(fd, end_offset)
        raise
    disk.write_all(fd, writer.mdat_header(end_offset), writer.FREE_OFFSET)
    disk.sync(fd)
    return end_offset + len(tail)
