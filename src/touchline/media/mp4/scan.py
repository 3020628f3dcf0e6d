"""Read a segment file: what is in it, what is damaged and where; and mend its end.

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
from touchline.media.storage.disk import Disk

__all__ = [
    "Indexed",
    "NotSegment",
    "Reopened",
    "codec_of",
    "finish",
    "index",
    "reopen",
    "salvage",
    "scan",
]

_SUSPECT_BYTES = 64 << 20
"""How much of a file's end may have been on its way when the power went, many times over."""


def scan(path: str | os.PathLike[str], *, checksums: bool) -> SegmentScan:
    """Walk every fragment of a segment; with `checksums` read and check every byte too.

    Raises OSError where the file cannot be read and NotSegment where it is somebody else's.
    """
    fd = open_regular(path)
    try:
        return Walk(fd, os.fspath(path), checksums=checksums).run()
    finally:
        os.close(fd)


def salvage(path: str | os.PathLike[str]) -> SegmentScan:
    """Cut a segment that was left open to its last whole fragment and finish it.

    Checksums are compared in the last 64 MiB: every fragment before was synced long ago.
    Safe to call again, and on a finished file, which is left as it is. A segment without a single
    whole fragment is left as it is too. Returns the scan made before.
    """
    fd = open_regular(path, os.O_RDWR)
    try:
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


def codec_of(path: str | os.PathLike[str]) -> Codec:
    """Read the codec of a segment from its header. Raises OSError and NotSegment."""
    with reading(path) as file:
        head = file.read(READ_BYTES)
    try:
        if not head.startswith(writer.init_part_head()):
            raise ValueError
        # A finished file's first `mdat` swallows this box, so it is found by its place.
        moov = head[writer.FREE_OFFSET + len(writer.FREE) :]
        return read_codec(moov[: int.from_bytes(moov[:4], "big")])
    except ValueError as error:
        raise NotSegment(f"{os.fspath(path)} is not a segment of touchline") from error


class Indexed(NamedTuple):
    """A segment's walk, and where and when each frame of its whole fragments is."""

    scan: SegmentScan
    table: SampleTable


def index(path: str | os.PathLike[str]) -> Indexed:
    """Index every whole fragment, also of a segment that is still written; checks nothing.

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
    """An open segment's whole fragments, their frames' tables, and where the last one ends."""

    fragments: tuple[ScannedFragment, ...]
    table: SampleTable
    end_offset: int


def reopen(path: str | os.PathLike[str]) -> Reopened | None:
    """Prepare an open segment for more writing; every byte is checked.

    None where nothing can be gone on with: it is finished, or has no whole fragment. Nothing is
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
    """Turn an open segment that ends at `end_offset` into an ordinary MP4, durably.

    Returns the file's size. Raises OSError; the file is then still a playable fragmented MP4, and
    finishing it can be tried again.
    """
    tail = writer.final_part(table, sequence)
    try:
        disk.write_all(fd, tail, end_offset)
        disk.sync(fd)  # the tables must be there before the header says so
    except OSError:
        disk.cut(fd, end_offset)
        raise
    disk.write_all(fd, writer.mdat_header(end_offset), writer.FREE_OFFSET)
    disk.sync(fd)
    return end_offset + len(tail)
