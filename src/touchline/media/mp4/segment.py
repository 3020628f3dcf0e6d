"""HLS media segments made from recorded fragments, at any place of a timeline.

For fragmented MP4 only the header is created, and encoded frames are sent from their place in the
file. For a transport stream every frame is repackaged: players based on older libavformat lose
their position in a playlist of MP4 segments after a seek. Standard library only (RFC 8216, 3.2 and
3.3; ISO/IEC 14496-12, 8.8).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from touchline.foreign.files import open_regular
from touchline.media import mpegts
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import cut
from touchline.media.mp4.fragment import (
    DELTA_FLAGS,
    KEYFRAME_FLAGS,
    MOOF_BYTES,
    TRUN_ENTRY_BYTES,
    moof,
    read_moof,
)
from touchline.media.mp4.record import RECORD_BYTES
from touchline.media.mp4.sample import ticks
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.mp4.walk import ScannedFragment

_ROW = struct.Struct(">IIIi")
"""A sample in `trun`: duration, size, flags, composition offset."""


@dataclass(frozen=True)
class SegmentPlace:
    """Position of a segment: its number from 1, its decode time, and its additional duration.

    The last frame lasts `longer_ticks` longer than recorded. `early_ticks` is the maximum time by
    which a frame of this file is shown before it is decoded.
    """

    number: int
    decode_ticks: int
    longer_ticks: int = 0
    early_ticks: int = 0


@dataclass(frozen=True)
class _Stored:
    """Samples of consecutive fragments: their rows of `trun`, and the positions of their data."""

    rows: tuple[tuple[int, int, int, int], ...]
    spans: tuple[cut.FileSpan, ...]


def mp4_segment(
    path: Path,
    fragments: Sequence[ScannedFragment],
    place: SegmentPlace,
    *,
    table: SampleTable | None = None,
) -> cut.Cut:
    """Build one MP4 fragment from consecutive fragments of a file.

    `table` is that of a file of another system, which has no headers before its samples.

    Reads their headers; call it in a thread. Raises OSError, and ValueError if the file has
    changed.
    """
    with _open_file(path) as descriptor:
        stored = _read(descriptor, path, fragments, table)
    rows = list(stored.rows)
    duration, *rest = rows[-1]
    rows[-1] = (duration + place.longer_ticks, *rest)  # type: ignore[assignment]
    head = moof(place.number, place.decode_ticks, len(rows))
    head += b"".join(_ROW.pack(*row) for row in rows)
    data_bytes = 8 + sum(row[1] for row in rows)
    return cut.Cut(head + struct.pack(">I4s", data_bytes, b"mdat"), stored.spans)


def ts_segment(
    path: Path,
    codec: Codec,
    fragments: Sequence[ScannedFragment],
    place: SegmentPlace,
    *,
    table: SampleTable | None = None,
) -> cut.Cut:
    """Build a transport stream segment from consecutive fragments of a file.

    Reads all of them; call it in a thread. Raises OSError, and ValueError if the file has changed.
    """
    with _open_file(path) as descriptor:
        stored = _read(descriptor, path, fragments, table)
        frames = _frames(descriptor, path, stored, place)
        return cut.Cut(mpegts.segment(codec, frames, number=place.number), ())


@contextmanager
def _open_file(path: Path) -> Iterator[int]:
    """Open a file without following links."""
    descriptor = open_regular(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read(
    descriptor: int,
    path: Path,
    fragments: Sequence[ScannedFragment],
    table: SampleTable | None,
) -> _Stored:
    if table is not None:
        return _from_table(table, path, fragments)
    rows: list[tuple[int, int, int, int]] = []
    spans: list[cut.FileSpan] = []
    expected_ticks = ticks(fragments[0].start_ns)
    for fragment in fragments:
        head_bytes = MOOF_BYTES + TRUN_ENTRY_BYTES * fragment.samples
        head = os.pread(descriptor, head_bytes, fragment.offset)
        found = read_moof(head[:MOOF_BYTES]) if len(head) == head_bytes else None
        if found is None or found[2] != fragment.samples:
            raise ValueError(f"{path.name} has changed")
        if rows and found[1] != expected_ticks:
            # Frames are missing between two fragments: the last one before is shown longer.
            duration, *rest = rows[-1]
            rows[-1] = (max(0, duration + found[1] - expected_ticks), *rest)  # type: ignore[assignment]
        rows += _ROW.iter_unpack(head[MOOF_BYTES:])
        expected_ticks = found[1] + ticks(fragment.duration_ns)
        size = fragment.size_bytes - head_bytes - 8 - RECORD_BYTES
        spans.append(cut.FileSpan(path, fragment.offset + head_bytes + 8, size))
    return _Stored(tuple(rows), tuple(spans))


def _from_table(table: SampleTable, path: Path, fragments: Sequence[ScannedFragment]) -> _Stored:
    """Read the samples of groups of another system's file (`ordinary`) from its tables."""
    first = fragments[0].sequence - 1
    until = first + sum(fragment.samples for fragment in fragments)
    entries = list(islice(table.entries(), first, until + 1))
    ends = [entry.dts for _, entry in entries[1:]]
    if len(entries) == until - first:
        ends.append(table.end_ticks)
    rows, spans = [], list[cut.FileSpan]()
    for (offset, entry), end in zip(entries, ends, strict=False):
        flags = KEYFRAME_FLAGS if entry.keyframe else DELTA_FLAGS
        rows.append((max(end - entry.dts, 0), entry.size_bytes, flags, entry.pts - entry.dts))
        if spans and spans[-1].offset + spans[-1].size_bytes == offset:
            spans[-1] = spans[-1]._replace(size_bytes=spans[-1].size_bytes + entry.size_bytes)
        else:
            spans.append(cut.FileSpan(path, offset, entry.size_bytes))
    return _Stored(tuple(rows), tuple(spans))


def _frames(
    descriptor: int, path: Path, stored: _Stored, place: SegmentPlace
) -> Iterator[mpegts.TimedFrame]:
    rows = iter(stored.rows)
    dts = place.decode_ticks
    for span in stored.spans:
        data = memoryview(os.pread(descriptor, span.size_bytes, span.offset))
        if len(data) < span.size_bytes:
            raise ValueError(f"{path.name} was truncated")
        at = 0
        while at < len(data):
            duration, size, flags, offset = next(rows)
            frame = bytes(data[at : at + size])
            keyframe = flags == KEYFRAME_FLAGS
            yield mpegts.TimedFrame(frame, dts + offset + place.early_ticks, dts, keyframe)
            at, dts = at + size, dts + duration
