"""Records: `uuid` boxes that end a part of a segment, with its checksum.

A part is the header, a fragment, or the tables at the end; `writer` describes the layout.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from touchline.media.mp4.sample import I64_MAX

RECORD_UUID = bytes.fromhex("746f7563686c696e65e5f1a9c0de0001")
RECORD_BYTES = 48
INIT, FRAGMENT, FINAL = 0, 1, 2
_RECORD = struct.Struct(">I4s16sBBHIIqI")


def record(kind: int, sequence: int, samples: int, capture_unix_ns: int, crc: int) -> bytes:
    """Build the record of a part whose bytes have the running CRC-32 `crc`."""
    capture_unix_ns = min(max(capture_unix_ns, -I64_MAX), I64_MAX)
    head = _RECORD.pack(
        RECORD_BYTES, b"uuid", RECORD_UUID, 1, kind, 0, sequence, samples, capture_unix_ns, 0
    )[:-4]
    return head + struct.pack(">I", zlib.crc32(head, crc))


class FragmentRecord(NamedTuple):
    """The fields of a record."""

    kind: int
    sequence: int
    samples: int
    capture_unix_ns: int
    crc: int


def read_record(data: bytes) -> FragmentRecord | None:
    """Read a record; None where there is none or its fixed fields are damaged."""
    if len(data) != RECORD_BYTES:
        return None
    size, box, uuid, version, kind, zero, *rest = _RECORD.unpack(data)
    if (size, box, uuid, version, zero) != (RECORD_BYTES, b"uuid", RECORD_UUID, 1, 0):
        return None
    return FragmentRecord(kind, *rest)
