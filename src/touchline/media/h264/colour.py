"""Colours of an H.264 stream as an MP4 box (`colr`, ISO/IEC 14496-12, 12.1.5).

Players that read only the container would otherwise guess the colours, and guess wrongly for small
pictures. Standard library only.
"""

from __future__ import annotations

import struct

from touchline.media.h264.syntax import Colour, read_sps
from touchline.media.h264.units import SPS, parameter_sets

_NCLX = struct.Struct(">I4s4sHHHB")
_FULL_RANGE = 0x80


def colour_of(avcc: bytes) -> Colour | None:
    """Return the colours stated in a decoder configuration; None if it states none.

    Several parameter sets in it belong to one stream, so the first one is used.
    """
    try:
        for unit in parameter_sets(avcc):
            if unit and unit[0] & 0x1F == SPS:
                return read_sps(unit).colour
    except ValueError:
        # the decoder reports it; a missing colour description is no reason to refuse a file
        return None
    return None


def colour_box(avcc: bytes) -> bytes:
    """Return the `colr` box of a sample entry; empty if the stream does not state its colours."""
    colour = colour_of(avcc)
    if colour is None:
        return b""
    full_range = _FULL_RANGE if colour.full_range else 0
    fields = (colour.primaries, colour.transfer, colour.matrix, full_range)
    return _NCLX.pack(_NCLX.size, b"colr", b"nclx", *fields)
