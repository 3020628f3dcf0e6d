"""H.264 in its two forms: units with lengths (AVC, in files) and with start codes (Annex B).

Standard library only. ISO/IEC 14496-15 for the decoder configuration record, H.264 Annex B.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from touchline.media.h264.codec import Codec

START_CODE = b"\0\0\0\1"
IDR, SPS, PPS, AUD = 5, 7, 8, 9


def units(data: bytes, length_bytes: int = 4) -> Iterator[memoryview]:
    """Yield the NAL units of a frame in AVC form. Raises ValueError for a wrong length."""
    view, at, end = memoryview(data), 0, len(data)
    while at + length_bytes <= end:
        size = int.from_bytes(view[at : at + length_bytes], "big")
        at += length_bytes
        if at + size > end:
            raise ValueError("a unit is longer than its frame")
        if size:
            yield view[at : at + size]
        at += size


def is_idr_frame(head: bytes, length_bytes: int = 4) -> bool:
    """Return whether a frame in AVC form is an IDR picture, so that decoding can start with it.

    `head` is the frame or its first bytes; if they end before its first slice, the result is False.
    """
    at = 0
    while at + length_bytes < len(head):
        size = int.from_bytes(head[at : at + length_bytes], "big")
        at += length_bytes
        kind = head[at] & 0x1F if size else 0
        if 1 <= kind <= IDR:
            return kind == IDR
        at += size
    return False


def first_slice(data: bytes, length_bytes: int = 4) -> bytes | None:
    """Return the start of the first slice of a frame in AVC form; None without a slice."""
    at = 0
    while at + length_bytes < len(data):
        size = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        if size and 1 <= data[at] & 0x1F <= IDR:
            return data[at : at + min(size, 64)]
        at += size
    return None


def parameter_sets(avcc: bytes) -> list[bytes]:
    """Return SPS and PPS of a decoder configuration record. Raises ValueError."""
    try:
        found = []
        at = 6
        for count in (avcc[5] & 0x1F, None):
            if count is None:
                number, at = avcc[at], at + 1
            else:
                number = count
            for _ in range(number):
                (size,) = struct.unpack_from(">H", avcc, at)
                found.append(avcc[at + 2 : at + 2 + size])
                at += 2 + size
    except (IndexError, struct.error) as error:
        raise ValueError("the decoder configuration is damaged") from error
    return found


def length_bytes(avcc: bytes) -> int:
    """Return the size of the length fields before the units, in bytes."""
    return (avcc[4] & 3) + 1 if len(avcc) > 4 else 4


def annex_b(data: bytes, codec: Codec) -> bytes:
    """Convert a frame to start codes, with parameter sets unless it has its own."""
    found = list(units(data, length_bytes(codec.avcc)))
    parts: list[bytes | memoryview] = []
    if not any(unit[0] & 0x1F == SPS for unit in found):
        parts += parameter_sets(codec.avcc)
    parts += found
    return b"".join(START_CODE + bytes(part) for part in parts)


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """Split an Annex B byte stream into its NAL units."""
    at = data.find(b"\0\0\1")
    while at >= 0:
        start = at + 3
        at = data.find(b"\0\0\1", start)
        unit = data[start:] if at < 0 else data[start:at].rstrip(b"\0")
        if unit:
            yield unit


def configuration_record(sets: Iterable[bytes]) -> bytes:
    """Build the decoder configuration record from the SPS and PPS among these units."""
    found = list(sets)
    sps = [unit for unit in found if unit[0] & 0x1F == SPS]
    pps = [unit for unit in found if unit[0] & 0x1F == PPS]
    parts = [bytes([1, *sps[0][1:4], 0xFF, 0xE0 | len(sps)])]
    parts += [struct.pack(">H", len(unit)) + unit for unit in sps]
    parts.append(bytes([len(pps)]))
    parts += [struct.pack(">H", len(unit)) + unit for unit in pps]
    return b"".join(parts)


def codec_string(avcc: bytes) -> str:
    """Return the codec string of RFC 6381, such as `avc1.64001f`."""
    return f"avc1.{avcc[1:4].hex()}"
