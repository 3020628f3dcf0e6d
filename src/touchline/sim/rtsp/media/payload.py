"""Packetization to RTP payloads: RFC 6184 (H.264), RFC 7798 (H.265), RFC 2435 (JPEG)."""

from __future__ import annotations

import struct
from typing import NamedTuple

_LARGEST = 65_000
"""Maximum size for an interleaved packet including its headers."""
_STAP_A, _FU_A = 24, 28
_AP, _FU = 48, 49


class PayloadPiece(NamedTuple):
    """The payload of one packet."""

    payload: bytes
    ends_slice: bool


def pieces(codec: str, units: tuple[bytes, ...], packing: str, limit: int) -> list[PayloadPiece]:
    """Split an access unit into payloads of at most `limit` bytes if the packing allows it."""
    if codec == "mjpeg":
        return _jpeg(units[0], limit)
    if packing == "aggregate":
        return _aggregate(codec, units, limit)
    head = _head_bytes(codec)
    found: list[PayloadPiece] = []
    for unit in units:
        if packing == "whole":
            found += _one(codec, unit, _LARGEST)
        elif packing == "fragment" and len(unit) >= head + 2:
            # Even a small unit is sent in two fragments.
            room = min(limit - head - 1, (len(unit) - head + 1) // 2)
            found += _fragment(codec, unit, room)
        else:
            found += _one(codec, unit, limit)
    return found


def _head_bytes(codec: str) -> int:
    return 1 if codec == "h264" else 2


def is_slice(codec: str, unit: bytes) -> bool:
    """Return whether the unit contains a part of the picture."""
    return unit[0] & 0x1F in {1, 5} if codec == "h264" else unit[0] >> 1 & 0x3F < 32


def _one(codec: str, unit: bytes, limit: int) -> list[PayloadPiece]:
    if len(unit) <= limit:
        return [PayloadPiece(unit, is_slice(codec, unit))]
    return _fragment(codec, unit, limit - _head_bytes(codec) - 1)


def _fragment(codec: str, unit: bytes, room: int) -> list[PayloadPiece]:
    parts = fragments(codec, unit, room)
    ends = is_slice(codec, unit)
    return [PayloadPiece(part, ends and n == len(parts) - 1) for n, part in enumerate(parts)]


def fragments(codec: str, unit: bytes, room: int) -> list[bytes]:
    """Split a unit into fragmentation units with at most `room` of its bytes each."""
    head = _head_bytes(codec)
    body = unit[head:]
    parts = [body[at : at + room] for at in range(0, len(body), room)]
    last = len(parts) - 1
    found = []
    for n, part in enumerate(parts):
        edges = (0x80 if n == 0 else 0) | (0x40 if n == last else 0)
        if codec == "h264":
            prefix = bytes((unit[0] & 0xE0 | _FU_A, edges | unit[0] & 0x1F))
        else:
            prefix = bytes((unit[0] & 0x81 | _FU << 1, unit[1], edges | unit[0] >> 1 & 0x3F))
        found.append(prefix + part)
    return found


def aggregate(codec: str, units: list[bytes]) -> bytes:
    """Join units into one aggregation packet."""
    if codec == "h264":
        prefix = bytes((max(unit[0] & 0x60 for unit in units) | _STAP_A,))
    else:
        prefix = bytes((_AP << 1, 1))
    return prefix + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def _aggregate(codec: str, units: tuple[bytes, ...], limit: int) -> list[PayloadPiece]:
    found: list[PayloadPiece] = []
    together: list[bytes] = []

    def flush() -> None:
        if together:
            whole = together[0] if len(together) == 1 else aggregate(codec, together)
            found.append(PayloadPiece(whole, is_slice(codec, together[-1])))
            together.clear()

    for unit in units:
        taken = _head_bytes(codec) + sum(2 + len(other) for other in together)
        if together and taken + 2 + len(unit) > limit:
            flush()
        if len(unit) + _head_bytes(codec) + 2 > limit:
            flush()
            found += _one(codec, unit, limit)
        else:
            together.append(unit)
    flush()
    return found


def _jpeg(data: bytes, limit: int) -> list[PayloadPiece]:
    tables, kind, width, height, scan = _parts_of_jpeg(data)
    quality = 255  # the tables are included
    found = []
    at = 0
    while at < len(scan):
        header = struct.pack(">I", at & 0xFFFFFF)
        header += bytes((kind, quality, width // 8, height // 8))
        if at == 0:
            header += struct.pack(">BBH", 0, 0, len(tables)) + tables
        part = scan[at : at + max(1, limit - len(header))]
        at += len(part)
        found.append(PayloadPiece(header + part, at >= len(scan)))
    return found


def _parts_of_jpeg(data: bytes) -> tuple[bytes, int, int, int, bytes]:
    """Return quantization tables, type, size and scan of a baseline JPEG."""
    tables: dict[int, bytes] = {}
    at, width, height, kind = 2, 0, 0, 1
    while True:
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDB:
            for start in range(0, len(body), 65):
                tables[body[start] & 15] = body[start + 1 : start + 65]
        elif marker == 0xC0:
            height, width = struct.unpack_from(">HH", body, 1)
            kind = 1 if body[7] == 0x22 else 0
        elif marker == 0xDA:
            break
    luma = tables[0]
    end = data.rfind(b"\xff\xd9")
    scan = data[at:end] if end > at else data[at:]
    # Sizes are sent in units of eight pixels, rounded up, so that receivers cut nothing off.
    return luma + tables.get(1, luma), kind, (width + 7) // 8 * 8, (height + 7) // 8 * 8, scan
