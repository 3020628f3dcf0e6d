"""Where pictures begin in RTP payloads."""

from __future__ import annotations

import pytest

from touchline.worker.rtp.boundaries import (
    H265Pictures,
    boundary_detector,
    has_boundaries,
    is_jpeg_start,
)


def unit(kind: int, body: bytes = b"\x00ab") -> bytes:
    return bytes((kind << 1, 1)) + body


FIRST, NEXT = unit(1, b"\x80ab"), unit(1, b"\x40ab")


def aggregate(*units: bytes) -> bytes:
    return b"\x60\x01" + b"".join(len(each).to_bytes(2, "big") + each for each in units)


def fragment(kind: int, edges: int, body: bytes) -> bytes:
    return bytes((49 << 1, 1, edges | kind)) + body


@pytest.mark.parametrize(
    ("payloads", "begins"),
    [
        ([FIRST, NEXT, FIRST], [False, False, True]),
        ([FIRST, FIRST], [False, True]),
        ([FIRST, unit(32), unit(33), FIRST], [False, True, False, False]),
        ([FIRST, unit(39), FIRST], [False, True, False]),
        ([FIRST, unit(40), NEXT], [False, False, False]),
        ([FIRST, aggregate(unit(35), FIRST), aggregate(NEXT)], [False, True, False]),
        ([FIRST, aggregate(unit(40), unit(32), unit(33))], [False, True]),
        (
            [FIRST, fragment(1, 0x80, b"\x80a"), fragment(1, 0, b"\x80a"), fragment(1, 0x40, b"a")],
            [False, True, False, False],
        ),
        ([FIRST, b"", b"\x60", b"\x60\x01\xff\xff\x02", b"\xff" * 9], [False] * 5),
    ],
    ids=[
        "slices", "pictures of one slice", "parameter sets", "a message before", "a message behind",
        "aggregates", "a head behind a tail", "fragments", "damaged",
    ],
)  # fmt: skip
def test_an_h265_picture_begins_at_its_first_slice_or_what_leads_it(
    payloads: list[bytes], begins: list[bool]
) -> None:
    pictures = H265Pictures()
    assert [pictures.begins(each) for each in payloads] == begins


def test_a_jpeg_begins_at_offset_zero() -> None:
    assert is_jpeg_start(b"\0\0\0\0\1\xff\x28\x17scan") is True
    assert is_jpeg_start(b"\0\0\5\x78\1\xff\x28\x17scan") is False
    assert is_jpeg_start(b"\0\0") is None


def test_other_codecs_do_not_say_where_a_picture_begins() -> None:
    assert [has_boundaries(codec) for codec in ("h265", "mjpeg", "vp8")] == [True, True, False]
    assert boundary_detector("vp8")(b"\x10\0\0\0\0\0\0\0\0\0") is None
