"""The colours of an H.264 stream, as an MP4 file tells them (`colr`, ISO/IEC 14496-12, 12.1.5).

Players that look at the container only would otherwise guess them, and guess wrongly for small
pictures. Pure standard library.
"""

from __future__ import annotations

import struct

from touchline.media.h264.syntax import Colour, read_sps
from touchline.media.h264.units import SPS, parameter_sets

_NCLX = struct.Struct(">I4s4sHHHB")
_FULL_RANGE = 0x80


def colour_of(avcc: bytes) -> Colour | None:
    """Return what a decoder configuration says of the colours; None where it says nothing.

    Where it holds several parameter sets they are of one stream, and the first one speaks.
    """
    try:
        for unit in parameter_sets(avcc):
            if unit and unit[0] & 0x1F == SPS:
                return read_sps(unit).colour
    except ValueError:
        return None  # a decoder says so; a description of colours is no reason to refuse a file
    return None


def colour_box(avcc: bytes) -> bytes:
    """Return the `colr` box of a sample entry; nothing where the stream says nothing."""
    colour = colour_of(avcc)
    if colour is None:
        return b""
    full_range = _FULL_RANGE if colour.full_range else 0
    fields = (colour.primaries, colour.transfer, colour.matrix, full_range)
    return _NCLX.pack(_NCLX.size, b"colr", b"nclx", *fields)
