from __future__ import annotations

import random

import pytest

from touchline.sim.rtsp.media.payload import aggregate, fragments, is_slice, pieces

SLICE = bytes((0x65,)) + random.Random(1).randbytes(3500)
SPS, PPS = b"\x67" + bytes(20), b"\x68" + bytes(5)
UNITS = (SPS, PPS, SLICE)


def joined(parts: list[bytes]) -> bytes:
    """The unit that was split (RFC 6184, 5.8)."""
    head = bytes((parts[0][0] & 0xE0 | parts[0][1] & 0x1F,))
    return head + b"".join(part[2:] for part in parts)


def test_fragments_are_the_unit_with_a_beginning_and_an_end() -> None:
    parts = fragments("h264", SLICE, 1000)
    assert joined(parts) == SLICE
    assert [part[1] >> 6 for part in parts] == [2, 0, 0, 1]
    assert all(len(part) <= 1002 for part in parts)


def test_an_aggregate_has_each_unit_after_its_length_and_the_highest_importance() -> None:
    packet = aggregate("h264", [b"\x09\x10", SPS])
    assert (packet[0] & 0x1F, packet[0] & 0x60) == (24, 0x60)
    assert packet[1:] == b"\0\x02\x09\x10" + len(SPS).to_bytes(2, "big") + SPS
    assert aggregate("h265", [b"\x40\x01"])[0] >> 1 == 48


@pytest.mark.parametrize(
    ("packing", "sizes"),
    [
        ("plain", [21, 6, 1002, 1002, 1002, 502]),
        ("whole", [21, 6, 3501]),
        ("aggregate", [32, 1002, 1002, 1002, 502]),
    ],
)
def test_units_are_packed_as_asked(packing: str, sizes: list[int]) -> None:
    found = pieces("h264", UNITS, packing, 1002)
    assert [len(each.payload) for each in found] == pytest.approx(sizes, abs=3)
    assert [each.ends_slice for each in found] == [False] * (len(found) - 1) + [True]


def test_even_small_units_are_fragmented_on_request() -> None:
    found = [each.payload for each in pieces("h264", (SPS,), "fragment", 1000)]
    assert len(found) == 2
    assert joined(found) == SPS


@pytest.mark.parametrize(
    ("codec", "unit", "expected"),
    [
        ("h264", b"\x65", True),
        ("h264", b"\x41", True),
        ("h264", b"\x67", False),
        ("h265", b"\x02\x01", True),
        ("h265", b"\x40\x01", False),
    ],
)
def test_slices_are_told_from_what_describes_them(
    codec: str, unit: bytes, *, expected: bool
) -> None:
    assert is_slice(codec, unit) is expected
