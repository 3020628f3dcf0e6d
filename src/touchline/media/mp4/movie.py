"""The movie box of a file, and the codec in it."""

from __future__ import annotations

import struct

from touchline.media.h264.codec import Codec
from touchline.media.h264.colour import colour_box
from touchline.media.mp4 import box as mp4box
from touchline.media.mp4.box import box_of, full_box
from touchline.media.mp4.sample import TIMESCALE
from touchline.media.mp4.sampletable import SampleTable

_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_AVC1 = struct.Struct(">6xH16xHHIIIH32sHh")
"""Fields of a visual sample entry (ISO/IEC 14496-12, 12.1.3), before its boxes."""


def read_codec(moov: bytes) -> Codec:
    """Read the codec of a complete `moov` box created by `init_part`.

    Raises ValueError for any other.
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


def movie_box(
    codec: Codec, table: SampleTable | None, shows: tuple[int, int] | None = None
) -> bytes:
    """Build the movie box; without a table, that of a fragmented file."""
    media_duration = table.end_ticks if table else 0
    duration, edits = media_duration, b""
    if shows is not None:
        duration = min(shows[1], max(shows[0], media_duration)) - shows[0]
        # One edit at normal speed (ISO/IEC 14496-12, 8.6.6).
        edit = struct.pack(">IQqI", 1, duration, shows[0], 0x10000)
        edits = box_of(b"edts", full_box(b"elst", edit, version=1))
    codecs = table.codecs if table else (codec,)
    described = b"".join(_avc1(each) for each in codecs)
    stsd = full_box(b"stsd", struct.pack(">I", len(codecs)) + described)
    empty = struct.pack(">I", 0)
    tables = (
        table.boxes()
        if table
        else full_box(b"stts", empty)
        + full_box(b"stsc", empty)
        + full_box(b"stsz", empty + empty)
        + full_box(b"stco", empty)
    )
    dinf = box_of(
        b"dinf", full_box(b"dref", struct.pack(">I", 1) + full_box(b"url ", b"", flags=1))
    )
    minf = box_of(
        b"minf", full_box(b"vmhd", bytes(8), flags=1), dinf, box_of(b"stbl", stsd, tables)
    )
    mdhd = full_box(
        b"mdhd", struct.pack(">QQIQHH", 0, 0, TIMESCALE, media_duration, 0x55C4, 0), version=1
    )
    hdlr = full_box(b"hdlr", struct.pack(">I4s12s", 0, b"vide", b"") + b"video\0")
    tkhd = full_box(
        b"tkhd",
        struct.pack(">QQIIQ8xHHHH", 0, 0, 1, 0, duration, 0, 0, 0, 0)
        + _MATRIX
        + struct.pack(">II", codec.width << 16, codec.height << 16),
        version=1,
        flags=3,
    )
    mvhd = full_box(
        b"mvhd",
        struct.pack(">QQIQIH10x", 0, 0, TIMESCALE, duration, 0x10000, 0x100)
        + _MATRIX
        + bytes(24)
        + struct.pack(">I", 2),
        version=1,
    )
    trex = full_box(b"trex", struct.pack(">IIIII", 1, 1, 0, 0, 0))
    return box_of(
        b"moov",
        mvhd,
        box_of(b"trak", tkhd, edits, box_of(b"mdia", mdhd, hdlr, minf)),
        b"" if table else box_of(b"mvex", trex),
    )


def _avc1(codec: Codec) -> bytes:
    resolution, no_colour_table = 0x480000, -1
    fields = (1, codec.width, codec.height, resolution, resolution, 0, 1, b"", 24, no_colour_table)
    avcc = box_of(b"avcC", codec.avcc)
    return box_of(b"avc1", _AVC1.pack(*fields), avcc, colour_box(codec.avcc))
