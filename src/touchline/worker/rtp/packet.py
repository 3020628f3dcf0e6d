"""RTP packet headers (RFC 3550, 5.1)."""

from __future__ import annotations

import struct
from typing import NamedTuple

_HEAD = struct.Struct(">BBHII")


class Packet(NamedTuple):
    """The header fields and the position of the payload in the packet."""

    marked: bool
    payload_type: int
    number: int
    time: int
    ssrc: int
    start: int
    end: int


def read(data: bytes | memoryview) -> Packet | None:
    """Parse a packet's header; None if it is not RTP version 2 or is damaged."""
    size = len(data)
    if size < 12:
        return None
    first, second, number, time, ssrc = _HEAD.unpack_from(data)
    if first & 0xC0 != 0x80:
        return None
    start, end = 12, size
    if first & 0x3F:
        start, end = _bounds(data, first)
        if start > end:
            return None
    return Packet(second > 127, second & 0x7F, number, time, ssrc, start, end)


def _bounds(data: bytes | memoryview, first: int) -> tuple[int, int]:
    """Return the start and end of the payload; start exceeds end if the packet is damaged."""
    end, start = len(data), 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > end:
            return 1, 0
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= data[-1]
    return start, end
