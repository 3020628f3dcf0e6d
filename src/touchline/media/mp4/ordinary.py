"""Sample tables of an ordinary MP4 that another program wrote.

Recordings of earlier systems are such files: one H.264 track, tables at the end, no records. The
result is the same as for a segment of touchline (`scan.index`), so that they can be played, cut and
processed alike; an unusable file is refused with the reason. Every count comes from the file and is
checked against its size. Standard library only (ISO/IEC 14496-12, 8.5 to 8.7).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from touchline.foreign.files import reading
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import box as mp4box
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.box import FULL_BOX_BYTES, Box
from touchline.media.mp4.movie import codec_in
from touchline.media.mp4.sample import TIMESCALE, SampleEntry, ticks_to_ns
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.mp4.walk import ScannedFragment, SegmentScan

MOST_SAMPLES = 4_000_000
"""More than a day at 30 frames a second."""
_MOST_MOOV_BYTES = 128 << 20
_GROUP_NS = 500_000_000
"""Maximum duration of a group of samples; groups also start at keyframes."""
_HEAD = struct.Struct(">I4sQ")


class Unreadable(ValueError):
    """The file is unusable; the message gives the reason."""


class _Sample(NamedTuple):
    dts: int
    pts: int
    offset: int
    size_bytes: int
    keyframe: bool


def index(path: str | os.PathLike[str]) -> mp4scan.Indexed:
    """Read the place and time of each frame; capture times count from 0.

    Blocks. Raises OSError, and Unreadable if it is not a finished MP4 with H.264.
    """
    name = os.path.basename(path)
    suffix = os.path.splitext(name)[1].lower()
    if suffix not in {".mp4", ".mov", ".m4v"}:
        raise Unreadable(
            f"{name} has an unsupported container; copy it into an MP4 first (ffmpeg -i"
            " in.mkv -c copy out.mp4)"
        )
    with reading(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        try:
            moov = _read_moov(file.fileno(), size_bytes)
            codec, samples, end_dts = _track(moov, size_bytes)
        except Unreadable as error:
            raise Unreadable(f"{name} cannot be used: {error}") from None
        except (ValueError, struct.error) as error:
            raise Unreadable(f"{name} cannot be used: its tables are damaged ({error})") from None
    table = _table(codec, samples, end_dts)
    fragments = tuple(_groups(samples, end_dts))
    return mp4scan.Indexed(
        SegmentScan(
            path=os.fspath(path),
            size_bytes=size_bytes,
            finalized=True,
            width=codec.width,
            height=codec.height,
            fragments=fragments,
            faults=(),
            good_bytes=size_bytes,
        ),
        table,
    )


def at(indexed: mp4scan.Indexed, start_unix_ns: int) -> mp4scan.Indexed:
    """Return the same index for a file whose capture started at this time."""
    fragments = tuple(
        f._replace(capture_unix_ns=start_unix_ns + f.start_ns) for f in indexed.scan.fragments
    )
    scan = indexed.scan
    return indexed._replace(
        scan=SegmentScan(
            path=scan.path,
            size_bytes=scan.size_bytes,
            finalized=True,
            width=scan.width,
            height=scan.height,
            fragments=fragments,
            faults=(),
            good_bytes=scan.good_bytes,
        )
    )


def _read_moov(descriptor: int, size_bytes: int) -> bytes:
    """Find the movie box by walking the file's boxes, and return all of it."""
    at_byte = 0
    while at_byte < size_bytes:
        head = os.pread(descriptor, _HEAD.size, at_byte).ljust(_HEAD.size, b"\0")
        size, kind, long_size = _HEAD.unpack(head)
        least = 8
        if size == 1:
            size, least = long_size, 16
        elif size == 0:
            size = size_bytes - at_byte
        if size < least or at_byte + size > size_bytes:
            raise Unreadable("it is truncated or not an MP4")
        if kind == b"moov":
            if size > _MOST_MOOV_BYTES:
                raise Unreadable("its tables are too large")
            return os.pread(descriptor, size, at_byte)
        at_byte += size
    raise Unreadable("it was never finished: it has no movie header (moov)")


def _track(moov: bytes, size_bytes: int) -> tuple[Codec, list[_Sample], int]:
    """Return codec and samples of the first video track, in ticks, and the last sample's end."""
    whole = next(mp4box.boxes(moov))
    for trak in mp4box.boxes(moov, whole.start, whole.end):
        if trak.kind != b"trak":
            continue
        mdia = mp4box.child(moov, trak, b"mdia")
        handler = mp4box.child(moov, mdia, b"hdlr")
        if moov[handler.start + 8 : handler.start + 12] != b"vide":
            continue
        stbl = mp4box.descend(moov, mdia, (b"minf", b"stbl"))
        codec = _codec(moov, stbl)
        return codec, *_samples(moov, stbl, _timescale(moov, mdia), size_bytes)
    raise Unreadable("it has no video")


def _codec(moov: bytes, stbl: Box) -> Codec:
    stsd = mp4box.child(moov, stbl, b"stsd")
    entries = list(mp4box.boxes(moov, stsd.start + FULL_BOX_BYTES + 4, stsd.end))
    kinds = {entry.kind for entry in entries}
    if len(entries) != 1 or not kinds <= {b"avc1", b"avc3"}:
        names = ", ".join(kind.decode("latin-1") for kind in sorted(kinds)) or "nothing"
        raise Unreadable(f"it contains {names}; one H.264 stream (avc1) is required")
    return codec_in(moov, entries[0])


def _timescale(moov: bytes, mdia: Box) -> int:
    mdhd = mp4box.child(moov, mdia, b"mdhd")
    skip = 20 if moov[mdhd.start] == 1 else 12
    (timescale,) = struct.unpack_from(">I", moov, mdhd.start + skip)
    if not timescale:
        raise ValueError("the timescale is 0")
    return int(timescale)


def _samples(moov: bytes, stbl: Box, timescale: int, size_bytes: int) -> tuple[list[_Sample], int]:
    sizes = _sizes(moov, stbl)
    count = len(sizes)
    if not count:
        raise Unreadable("its tables are empty: it is a fragmented MP4 of another program")
    steps = _expand_runs(moov, stbl, b"stts", ">II", count)
    if len(steps) != count:
        raise ValueError("samples without a time")
    shifts = _expand_runs(moov, stbl, b"ctts", ">Ii", count) or [0] * count
    if len(shifts) != count:
        raise ValueError("samples without an offset")
    decode = [0, *accumulate(steps)]
    first_shown = min(decode[n] + shifts[n] for n in range(count))
    offsets = _offsets(moov, stbl, sizes)
    if any(o + s > size_bytes for o, s in zip(offsets, sizes, strict=True)):
        raise Unreadable("it is truncated: samples lie beyond its end")
    sync = _rows(moov, stbl, b"stss", ">I")
    keys = {number for (number,) in sync} if sync is not None else set(range(1, count + 1))

    def convert_to_ticks(value: int) -> int:
        return (value * TIMESCALE + timescale // 2) // timescale

    samples = [
        _Sample(
            convert_to_ticks(decode[n]),
            convert_to_ticks(decode[n] + shifts[n] - first_shown),
            offsets[n],
            sizes[n],
            n + 1 in keys,
        )
        for n in range(count)
    ]
    return samples, convert_to_ticks(decode[count])


def _sizes(moov: bytes, stbl: Box) -> Sequence[int]:
    stsz = mp4box.child(moov, stbl, b"stsz")
    same, count = struct.unpack_from(">II", moov, stsz.start + FULL_BOX_BYTES)
    if count > MOST_SAMPLES:
        raise ValueError("too many samples")
    if same:
        return [same] * count
    found = stsz.start + FULL_BOX_BYTES + 8
    if found + 4 * count > stsz.end:
        raise ValueError("sizes are missing")
    return struct.unpack_from(f">{count}I", moov, found)


def _rows(moov: bytes, stbl: Box, kind: bytes, row: str) -> list[tuple[int, ...]] | None:
    """Return the rows of a table; None if it is absent. Raises ValueError."""
    for box in mp4box.boxes(moov, stbl.start, stbl.end):
        if box.kind == kind:
            layout = struct.Struct(row)
            (count,) = struct.unpack_from(">I", moov, box.start + FULL_BOX_BYTES)
            start = box.start + FULL_BOX_BYTES + 4
            if start + count * layout.size > box.end:
                raise ValueError("rows are missing")
            return list(layout.iter_unpack(moov[start : start + count * layout.size]))
    return None


def _expand_runs(moov: bytes, stbl: Box, kind: bytes, row: str, most: int) -> list[int]:
    """Expand a run-length table to one value for each sample."""
    values: list[int] = []
    for count, value in _rows(moov, stbl, kind, row) or ():
        if len(values) + count > most:
            raise ValueError("a table has more rows than samples")
        values += [value] * count
    return values


def _offsets(moov: bytes, stbl: Box, sizes: Sequence[int]) -> list[int]:
    """Return the offset of each sample, from chunks of consecutive samples (8.7.4)."""
    chunks = _rows(moov, stbl, b"stco", ">I") or _rows(moov, stbl, b"co64", ">Q") or []
    per_chunk = _rows(moov, stbl, b"stsc", ">III") or []
    offsets: list[int] = []
    row = -1
    for number, (offset,) in enumerate(chunks, 1):
        while row + 1 < len(per_chunk) and per_chunk[row + 1][0] <= number:
            row += 1
        if row < 0:
            raise ValueError("a chunk without samples")
        at_byte = offset
        for size in sizes[len(offsets) : len(offsets) + per_chunk[row][1]]:
            offsets.append(at_byte)
            at_byte += size
    if len(offsets) != len(sizes):
        raise ValueError("samples without a position")
    return offsets


def _table(codec: Codec, samples: Sequence[_Sample], end_dts: int) -> SampleTable:
    table = SampleTable(codec)
    run: list[_Sample] = []

    def add(until: int) -> None:
        entries = [SampleEntry(s.dts, s.pts, s.size_bytes, s.keyframe) for s in run]
        table.add(run[0].offset, entries, until - run[-1].dts)

    for sample in samples:
        if run and run[-1].offset + run[-1].size_bytes != sample.offset:
            add(sample.dts)
            run = []
        run.append(sample)
    add(end_dts)
    return table


def _groups(samples: Sequence[_Sample], end_dts: int) -> Iterator[ScannedFragment]:
    """Group the samples like the fragments of a segment; offsets are those of their data.

    A group's sequence is the number of its first sample, from 1. Offsets are those of the video
    data alone, as if groups were adjacent, even where audio lies between their samples.
    """
    begin, place = 0, 0
    for n in range(1, len(samples) + 1):
        start = samples[begin].dts
        ends = n == len(samples)
        if not ends and not samples[n].keyframe:
            ends = ticks_to_ns(samples[n].dts - start) >= _GROUP_NS
        elif not ends:
            ends = True
        if not ends:
            continue
        until = end_dts if n == len(samples) else samples[n].dts
        size_bytes = sum(s.size_bytes for s in samples[begin:n])
        start_ns = ticks_to_ns(start)
        yield ScannedFragment(
            offset=place,
            size_bytes=size_bytes,
            sequence=begin + 1,
            samples=n - begin,
            keyframe=samples[begin].keyframe,
            start_ns=start_ns,
            duration_ns=ticks_to_ns(until) - start_ns,
            capture_unix_ns=start_ns,
        )
        place += size_bytes
        begin = n
