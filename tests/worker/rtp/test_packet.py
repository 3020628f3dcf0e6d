from __future__ import annotations

import struct

import pytest

from touchline.worker.rtp.packet import read


def packet(first: int, body: bytes, *, second: int = 96) -> bytes:
    return struct.pack(">BBHII", first, second, 7, 900, 5) + body


def test_a_plain_packet_has_its_payload_after_twelve_bytes() -> None:
    data = packet(0x80, b"unit", second=0x80 | 96)
    found = read(data)
    assert found is not None
    assert (found.marked, found.payload_type, found.number, found.time) == (True, 96, 7, 900)
    assert (found.ssrc, data[found.start : found.end]) == (5, b"unit")


def test_sources_extension_and_padding_are_no_payload() -> None:
    extension = b"\xbe\xde\0\1" + b"ext!"
    data = packet(0x80 | 0x20 | 0x10 | 2, b"src1src2" + extension + b"unit" + b"\0\0\3")
    found = read(data)
    assert found is not None
    assert data[found.start : found.end] == b"unit"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packet(0x80, b"")[:11],
        packet(0x40, b"unit"),
        packet(0x80 | 15, b"too short for its sources"),
        packet(0x80 | 0x10, b"ab"),
        packet(0x80 | 0x10, b"\0\0\0\xff"),
        packet(0x80 | 0x20, b"\xff"),
    ],
)
def test_what_is_damaged_or_no_rtp_is_no_packet(data: bytes) -> None:
    assert read(data) is None
