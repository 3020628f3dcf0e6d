"""The segment file: fragmented MP4 while it is written, an ordinary MP4 once it is finished.

While recording, a segment is::

    ftyp  free(16 bytes)  moov(codec only)  record 0   then, for n = 1, 2, …   moof  mdat  record n

Each fragment (`moof` + `mdat`) can be decoded without what follows it, so a file that ends
anywhere plays up to its last whole fragment. `finish` appends a second `moov` with the ordinary
sample tables and a last record, and then turns the 16 bytes of `free` into the header of an `mdat`
that swallows everything up to that `moov`. The file is then an ordinary seekable MP4 to every
player, in one 16-byte write, and nothing inside it has moved: fragments and records can still be
walked.

A *record* is a `uuid` box of 48 bytes: what kind of part it closes, its sequence number, its sample
count, the capture time of its first sample (Unix nanoseconds) and the CRC-32 of every byte since
the record before it, itself included up to the checksum. Together with the known form of the
`free`/`mdat` header every byte of a file is covered, so damage is found and located to a fragment
without any other file.

Boxes: ISO/IEC 14496-12 (moof 8.8.4, tfdt 8.8.12, trun 8.8.8, negative composition offsets in
version 1), 14496-15 for `avc1`/`avcC`. The switch at the end is what OBS Studio calls hybrid MP4.
Pure standard library; the worker writes with it and the server reads with it (`mp4scan`).
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from touchline.media.h264.colour import colour_box
from touchline.media.mp4 import box as mp4box

TIMESCALE = 90_000
"""Ticks a second of every track: what RTP and MPEG-TS use for video."""

RECORD_UUID = bytes.fromhex("746f7563686c696e65e5f1a9c0de0001")
RECORD_BYTES = 48
INIT, FRAGMENT, FINAL = 0, 1, 2

_RECORD = struct.Struct(">I4s16sBBHIIqI")
_FTYP = struct.pack(
    ">I4s4sI4s4s4s4s", 32, b"ftyp", b"isom", 0x200, b"isom", b"iso6", b"avc1", b"mp41"
)
FREE_OFFSET = len(_FTYP)
FREE = struct.pack(">I4sQ", 16, b"free", 0)
_MOOF = struct.Struct(">I4s I4sII I4s I4sII I4sIQ I4sIIi")
MOOF_BYTES = _MOOF.size
TRUN_ENTRY_BYTES = 16
KEYFRAME_FLAGS = 0x02000000  # depends on no other sample
DELTA_FLAGS = 0x01010000  # depends on others, is not a sync sample
_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_U32_MAX = (1 << 32) - 1
_I32_MAX = (1 << 31) - 1
_I64_MAX = (1 << 63) - 1
_AVC1 = struct.Struct(">6xH16xHHIIIH32sHh")
"""Fields of a visual sample entry (ISO/IEC 14496-12, 12.1.3), in front of its boxes."""


class Codec(NamedTuple):
    """An H.264 stream's picture size in pixels and its AVCDecoderConfigurationRecord."""

    width: int
    height: int
    avcc: bytes


class Sample(NamedTuple):
    """One coded frame with its times on the segment's timeline, in ticks of `TIMESCALE`.

    `dts` never falls; `pts` is 0 for the first frame shown.
    """

    data: bytes
    dts: int
    pts: int
    duration: int
    keyframe: bool


@dataclass(frozen=True)
class SampleEntry:
    """What the sample tables need to know of a written sample."""

    dts: int
    pts: int
    size_bytes: int
    keyframe: bool


def ticks(ns: int) -> int:
    """Nanoseconds as ticks of `TIMESCALE`, rounded; rounding never adds up over a recording."""
    return (ns * 9 + 50_000) // 100_000


def ticks_to_ns(value: int) -> int:
    """Ticks of `TIMESCALE` as nanoseconds."""
    return value * 100_000 // 9


def record(kind: int, sequence: int, samples: int, capture_unix_ns: int, crc: int) -> bytes:
    """The record that closes a part whose bytes have the running CRC-32 `crc`."""
    capture_unix_ns = min(max(capture_unix_ns, -_I64_MAX), _I64_MAX)
    head = _RECORD.pack(
        RECORD_BYTES, b"uuid", RECORD_UUID, 1, kind, 0, sequence, samples, capture_unix_ns, 0
    )[:-4]
    return head + struct.pack(">I", zlib.crc32(head, crc))


def init_part_head() -> bytes:
    """The first bytes of every segment."""
    return _FTYP


def init_part(codec: Codec) -> bytes:
    """Everything that stands before the first fragment of a segment being recorded."""
    body = _FTYP + FREE + _moov(codec, None)
    return body + record(INIT, 0, 0, 0, zlib.crc32(body))


def live_init(codec: Codec) -> bytes:
    """What a player needs before any fragment of the stream: the HLS initialization section."""
    return _FTYP + _moov(codec, None)


def live_fragment(sequence: int, samples: Sequence[Sample]) -> bytes:
    """One fragment without a record, as a player is sent it."""
    return b"".join(_fragment(sequence, samples))


def fragment_part(sequence: int, samples: Sequence[Sample], capture_unix_ns: int) -> bytes:
    """One fragment and its record. `samples` is not empty; `sequence` counts from 1."""
    parts = _fragment(sequence, samples)
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    parts.append(record(FRAGMENT, sequence, len(samples), capture_unix_ns, crc))
    return b"".join(parts)


def _fragment(sequence: int, samples: Sequence[Sample]) -> list[bytes]:
    parts = [moof(sequence, samples[0].dts, len(samples))]
    parts += [
        struct.pack(
            ">IIIi",
            _unsigned(s.duration),
            len(s.data),
            KEYFRAME_FLAGS if s.keyframe else DELTA_FLAGS,
            _offset(s.pts - s.dts),
        )
        for s in samples
    ]
    parts.append(struct.pack(">I4s", 8 + sum(len(s.data) for s in samples), b"mdat"))
    parts += [s.data for s in samples]
    return parts


def moof(sequence: int, dts: int, samples: int) -> bytes:
    """Return a fragment's header up to the rows of its samples."""
    return _MOOF.pack(*_moof_fields(sequence, min(max(dts, 0), _I64_MAX), samples))


def _unsigned(value: int) -> int:
    """A duration as a box can hold it (13 hours): no time that a camera gives breaks a file."""
    return min(max(value, 0), _U32_MAX)


def _offset(value: int) -> int:
    """The distance of presentation from decoding, as a box can hold it."""
    return min(max(value, -_I32_MAX), _I32_MAX)


def _moof_fields(sequence: int, dts: int, samples: int) -> tuple[int | bytes, ...]:
    moof_bytes = MOOF_BYTES + TRUN_ENTRY_BYTES * samples
    return (
        *(moof_bytes, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(moof_bytes - 24, b"traf"),
        *(16, b"tfhd", 0x020000, 1),  # default-base-is-moof
        *(20, b"tfdt", 0x01000000, dts),
        *(20 + TRUN_ENTRY_BYTES * samples, b"trun", 0x01000F01, samples),
        moof_bytes + 8,
    )


class SampleTable:
    """The sample tables of a segment, grown fragment by fragment (about 17 bytes a frame).

    `codecs` has one entry, unless what is joined in one file was coded differently.
    """

    def __init__(self, codec: Codec, *more: Codec) -> None:
        self.codec = codec
        self.codecs = (codec, *more)
        self._dts = array("q")
        self._offset = array("i")  # pts - dts
        self._size = array("I")
        self._sync = array("I")  # sample numbers of keyframes, from 1
        # File offset of the first sample, samples, number of the codec from 1.
        self._chunks: list[tuple[int, int, int]] = []
        self._last_duration = 0

    @property
    def frames(self) -> int:
        """Samples so far."""
        return len(self._dts)

    @property
    def end_ticks(self) -> int:
        """Where the last sample ends, in decode order."""
        return self._dts[-1] + self._last_duration if self._dts else 0

    @property
    def early_ticks(self) -> int:
        """How long a sample is shown before it is decoded, at the most."""
        return max(0, -min(self._offset, default=0))

    def entries(self) -> Iterator[tuple[int, SampleEntry]]:
        """Every sample in the order of decoding, with its offset in the file."""
        sync = set(self._sync)
        number = 0
        for offset, samples, _ in self._chunks:
            at = offset
            for _ in range(samples):
                dts, size = self._dts[number], self._size[number]
                keyframe = number + 1 in sync
                yield at, SampleEntry(dts, dts + self._offset[number], size, keyframe)
                at += size
                number += 1

    def add(
        self,
        data_offset: int,
        samples: Iterable[SampleEntry | Sample],
        last_duration: int,
        *,
        codec_number: int = 1,
    ) -> None:
        """Note a fragment whose samples begin at `data_offset` of the file."""
        before = len(self._dts)
        for s in samples:
            self._dts.append(min(max(s.dts, 0), _I64_MAX))
            self._offset.append(_offset(s.pts - s.dts))
            self._size.append(s.size_bytes if isinstance(s, SampleEntry) else len(s.data))
            if s.keyframe:
                self._sync.append(len(self._dts))
        self._chunks.append((data_offset, len(self._dts) - before, codec_number))
        self._last_duration = _unsigned(last_duration)

    def moved(self, by_bytes: int) -> SampleTable:
        """The same tables for a file in which the samples lie so much later."""
        copy = SampleTable(*self.codecs)
        copy._dts, copy._offset, copy._size, copy._sync = (
            self._dts,
            self._offset,
            self._size,
            self._sync,
        )
        copy._chunks = [(offset + by_bytes, n, codec) for offset, n, codec in self._chunks]
        copy._last_duration = self._last_duration
        return copy

    def final_part(self, sequence: int) -> bytes:
        """The ordinary `moov` and the record that ends the file."""
        moov = _moov(self.codec, self)
        return moov + record(FINAL, sequence, self.frames, 0, zlib.crc32(moov))

    def boxes(self) -> bytes:
        """The tables of `stbl` after `stsd`."""
        durations = [_unsigned(b - a) for a, b in pairwise(self._dts)]
        durations.append(_unsigned(self._last_duration))
        stts = _runs(durations)
        ctts = _runs(self._offset)
        stsc = _chunk_runs([(n, codec) for _, n, codec in self._chunks])
        wide = bool(self._chunks) and self._chunks[-1][0] > _U32_MAX
        offsets = [o for o, _, _ in self._chunks]
        return b"".join(
            (
                _full(b"stts", _table(">II", [(n, v) for v, n in stts])),
                _full(b"stss", struct.pack(">I", len(self._sync)) + _big_endian(self._sync)),
                _full(b"ctts", _table(">Ii", [(n, v) for v, n in ctts]), version=1)
                if any(v for v, _ in ctts)
                else b"",
                _full(b"stsc", _table(">III", stsc)),
                _full(b"stsz", struct.pack(">II", 0, self.frames) + _big_endian(self._size)),
                _full(
                    b"co64" if wide else b"stco",
                    _table(">Q" if wide else ">I", [(o,) for o in offsets]),
                ),
            )
        )


class Record(NamedTuple):
    """The fields of a record."""

    kind: int
    sequence: int
    samples: int
    capture_unix_ns: int
    crc: int


def read_record(data: bytes) -> Record | None:
    """The record in `data`; None where it is none or its fixed fields are damaged."""
    if len(data) != RECORD_BYTES:
        return None
    size, box, uuid, version, kind, zero, *rest = _RECORD.unpack(data)
    if (size, box, uuid, version, zero) != (RECORD_BYTES, b"uuid", RECORD_UUID, 1, 0):
        return None
    return Record(kind, *rest)


def read_moof(data: bytes) -> tuple[int, int, int] | None:
    """Sequence, decode time in ticks and sample count of a fragment's header; None when damaged."""
    fields = _MOOF.unpack(data)
    sequence, dts, samples = fields[5], fields[15], fields[19]
    if samples == 0 or _moof_fields(sequence, dts, samples) != fields:
        return None
    return sequence, dts, samples


def read_codec(moov: bytes) -> Codec:
    """Read the codec of a whole `moov` box that `init_part` made.

    Raises ValueError on any other.
    """
    found = next(mp4box.boxes(moov), None)
    if found is None or found.kind != b"moov":
        raise ValueError("this is not a movie box")
    stsd = mp4box.descend(moov, found, (b"trak", b"mdia", b"minf", b"stbl", b"stsd"))
    return codec_in(moov, mp4box.child(moov, stsd, b"avc1", skip=mp4box.FULL_BOX_BYTES + 4))


def codec_in(moov: bytes, entry: mp4box.Box) -> Codec:
    """Read the codec of a sample entry for H.264 (`avc1`). Raises ValueError."""
    avcc = mp4box.child(moov, entry, b"avcC", skip=_AVC1.size)
    _, width, height, *_ = _AVC1.unpack_from(moov, entry.start)
    return Codec(width, height, moov[avcc.start : avcc.end])


def faststart(
    table: SampleTable, data_bytes: int, *, shows: tuple[int, int] | None = None
) -> bytes:
    """What stands before the samples of an ordinary MP4 that begins with its tables.

    Offsets in `table` count from the first sample's; `data_bytes` is all of them together. `shows`
    is the part that players show, from and until before in ticks; None is everything.
    """
    data_head = struct.pack(">I4sQ", 1, b"mdat", data_bytes + 16)
    moov = _moov(table.codec, table, shows)
    while True:
        before = len(_FTYP) + len(moov) + len(data_head)
        moved = _moov(table.codec, table.moved(before), shows)
        if len(moved) == len(moov):  # wide offsets may have made it longer
            return _FTYP + moved + data_head
        moov = moved


def mdat_header(final_moov_offset: int) -> bytes:
    """What replaces `FREE` at `FREE_OFFSET` to make the file an ordinary MP4."""
    return struct.pack(">I4sQ", 1, b"mdat", final_moov_offset - FREE_OFFSET)


def _big_endian(values: array[int]) -> bytes:
    copy = array(values.typecode, values)
    if sys.byteorder == "little":
        copy.byteswap()
    return copy.tobytes()


def _runs(values: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    last, count = 0, 0
    for value in values:
        if count and value == last:
            count += 1
            continue
        if count:
            runs.append((last, count))
        last, count = value, 1
    if count:
        runs.append((last, count))
    return runs


def _chunk_runs(chunks: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """`stsc` rows: first chunk (from 1), samples a chunk, sample description."""
    rows: list[tuple[int, int, int]] = []
    for number, chunk in enumerate(chunks, 1):
        if not rows or rows[-1][1:] != chunk:
            rows.append((number, *chunk))
    return rows


def _box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, payload: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), payload)


def _table(row: str, rows: Sequence[tuple[int, ...]]) -> bytes:
    pack = struct.Struct(row).pack
    return struct.pack(">I", len(rows)) + b"".join(pack(*r) for r in rows)


def _moov(codec: Codec, table: SampleTable | None, shows: tuple[int, int] | None = None) -> bytes:
    """The movie box; without a table the one of a fragmented file."""
    media_duration = table.end_ticks if table else 0
    duration, edits = media_duration, b""
    if shows is not None:
        duration = min(shows[1], max(shows[0], media_duration)) - shows[0]
        # One edit, at the usual rate (ISO/IEC 14496-12, 8.6.6).
        edit = struct.pack(">IQqI", 1, duration, shows[0], 0x10000)
        edits = _box(b"edts", _full(b"elst", edit, version=1))
    codecs = table.codecs if table else (codec,)
    described = b"".join(_avc1(each) for each in codecs)
    stsd = _full(b"stsd", struct.pack(">I", len(codecs)) + described)
    empty = struct.pack(">I", 0)
    tables = (
        table.boxes()
        if table
        else _full(b"stts", empty)
        + _full(b"stsc", empty)
        + _full(b"stsz", empty + empty)
        + _full(b"stco", empty)
    )
    dinf = _box(b"dinf", _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=1)))
    minf = _box(b"minf", _full(b"vmhd", bytes(8), flags=1), dinf, _box(b"stbl", stsd, tables))
    mdhd = _full(
        b"mdhd", struct.pack(">QQIQHH", 0, 0, TIMESCALE, media_duration, 0x55C4, 0), version=1
    )
    hdlr = _full(b"hdlr", struct.pack(">I4s12s", 0, b"vide", b"") + b"video\0")
    tkhd = _full(
        b"tkhd",
        struct.pack(">QQIIQ8xHHHH", 0, 0, 1, 0, duration, 0, 0, 0, 0)
        + _MATRIX
        + struct.pack(">II", codec.width << 16, codec.height << 16),
        version=1,
        flags=3,
    )
    mvhd = _full(
        b"mvhd",
        struct.pack(">QQIQIH10x", 0, 0, TIMESCALE, duration, 0x10000, 0x100)
        + _MATRIX
        + bytes(24)
        + struct.pack(">I", 2),
        version=1,
    )
    trex = _full(b"trex", struct.pack(">IIIII", 1, 1, 0, 0, 0))
    return _box(
        b"moov",
        mvhd,
        _box(b"trak", tkhd, edits, _box(b"mdia", mdhd, hdlr, minf)),
        b"" if table else _box(b"mvex", trex),
    )


def _avc1(codec: Codec) -> bytes:
    resolution, no_colour_table = 0x480000, -1
    fields = (1, codec.width, codec.height, resolution, resolution, 0, 1, b"", 24, no_colour_table)
    avcc = _box(b"avcC", codec.avcc)
    return _box(b"avc1", _AVC1.pack(*fields), avcc, colour_box(codec.avcc))
