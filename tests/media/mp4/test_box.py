from __future__ import annotations

import struct

import pytest

from touchline.media.mp4 import box as mp4box


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def test_boxes_are_walked_by_their_sizes_whatever_their_payload_looks_like() -> None:
    misleading = box(b"free", box(b"avc1", bytes(40)))
    data = box(b"ftyp", b"isomavc1") + misleading + box(b"moov", box(b"trak", b"xy"))
    assert [b.kind for b in mp4box.boxes(data)] == [b"ftyp", b"free", b"moov"]
    moov = list(mp4box.boxes(data))[-1]
    found = mp4box.child(data, moov, b"trak")
    assert data[found.start : found.end] == b"xy"


def test_long_sizes_and_boxes_up_to_the_end_are_understood() -> None:
    data = struct.pack(">I4sQ", 1, b"mdat", 20) + b"1234" + struct.pack(">I4s", 0, b"free") + b"56"
    assert [data[b.start : b.end] for b in mp4box.boxes(data)] == [b"1234", b"56"]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        struct.pack(">I4s", 7, b"moov"),
        struct.pack(">I4s", 9, b"moov"),
        struct.pack(">I4s", 1, b"moov"),
        struct.pack(">I4sQ", 1, b"moov", 15),
        struct.pack(">I4sQ", 1, b"moov", 1 << 63),
    ],
)
def test_a_box_that_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="box"):
        list(mp4box.boxes(data))


def test_a_missing_box_is_named() -> None:
    data = box(b"moov", box(b"trak"))
    moov = next(mp4box.boxes(data))
    with pytest.raises(ValueError, match="mdia"):
        mp4box.descend(data, moov, (b"trak", b"mdia"))
