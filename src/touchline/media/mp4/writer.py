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
Standard library only; the worker writes with it and the server reads with it (`scan`).
"""

from __future__ import annotations

import struct
import zlib

from touchline.media.h264.codec import Codec
from touchline.media.mp4.fragment import MOOF_BYTES, TRUN_ENTRY_BYTES, fragment_part
from touchline.media.mp4.movie import movie_box
from touchline.media.mp4.record import FINAL, INIT, record
from touchline.media.mp4.sample import TIMESCALE, Mp4Sample, ticks, ticks_to_ns
from touchline.media.mp4.sampletable import SampleTable

__all__ = [
    "FREE",
    "FREE_OFFSET",
    "MOOF_BYTES",
    "TIMESCALE",
    "TRUN_ENTRY_BYTES",
    "Codec",
    "Mp4Sample",
    "SampleTable",
    "faststart",
    "final_part",
    "fragment_part",
    "init_part",
    "init_part_head",
    "live_init",
    "mdat_header",
    "ticks",
    "ticks_to_ns",
]
"""Everything needed to write a segment."""

_FTYP = struct.pack(
    ">I4s4sI4s4s4s4s", 32, b"ftyp", b"isom", 0x200, b"isom", b"iso6", b"avc1", b"mp41"
)
FREE_OFFSET = len(_FTYP)
FREE = struct.pack(">I4sQ", 16, b"free", 0)


def init_part_head() -> bytes:
    """Return the first bytes of every segment."""
    return _FTYP


def init_part(codec: Codec) -> bytes:
    """Return everything before the first fragment of a segment being recorded."""
    body = _FTYP + FREE + movie_box(codec, None)
    return body + record(INIT, 0, 0, 0, zlib.crc32(body))


def live_init(codec: Codec) -> bytes:
    """Return the HLS initialization section of the stream."""
    return _FTYP + movie_box(codec, None)


def faststart(
    table: SampleTable, data_bytes: int, *, shows: tuple[int, int] | None = None
) -> bytes:
    """Build everything before the samples of an ordinary MP4 that starts with its tables.

    Offsets in `table` count from the first sample's; `data_bytes` is the size of all samples.
    `shows` is the part that players show, from and until before in ticks; None is everything.
    """
    data_head = struct.pack(">I4sQ", 1, b"mdat", data_bytes + 16)
    moov = movie_box(table.codec, table, shows)
    while True:
        before = len(_FTYP) + len(moov) + len(data_head)
        moved = movie_box(table.codec, table.moved(before), shows)
        if len(moved) == len(moov):  # longer if wide offsets became necessary
            return _FTYP + moved + data_head
        moov = moved


def final_part(table: SampleTable, sequence: int) -> bytes:
    """Return the ordinary `moov` and the record that ends the file."""
    moov = movie_box(table.codec, table)
    return moov + record(FINAL, sequence, table.frames, 0, zlib.crc32(moov))


def mdat_header(final_moov_offset: int) -> bytes:
    """Return what replaces `FREE` at `FREE_OFFSET` to make the file an ordinary MP4."""
    return struct.pack(">I4sQ", 1, b"mdat", final_moov_offset - FREE_OFFSET)
