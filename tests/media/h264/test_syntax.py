from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rtpcamera import avcc, encoded
from touchline.media.decodetimes import Reordering
from touchline.media.h264 import units as h264
from touchline.media.h264.syntax import (
    IDR,
    PPS,
    SPS,
    Bits,
    read_pps,
    read_slice,
    read_sps,
    recovery_frames,
    same_picture,
    second_field,
)

PLAIN = "keyint=20:bframes=0"


class Writer:
    """Writes what `Bits` reads."""

    def __init__(self) -> None:
        self._bits = ""

    def u(self, count: int, value: int) -> Writer:
        self._bits += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> Writer:
        for value in values:
            binary = f"{value + 1:b}"
            self._bits += "0" * (len(binary) - 1) + binary
        return self

    def unit(self, head: int) -> bytes:
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        body = int(bits, 2).to_bytes(len(bits) // 8, "big")
        body = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", body)
        return bytes([head]) + body


def sps(*, width_mbs: int = 20, height_mbs: int = 12, cropping: Sequence[int] = ()) -> bytes:
    """A baseline set of a camera."""
    bits = Writer().u(8, 66).u(8, 0).u(8, 31).ue(0, 0, 2, 1).u(1, 0)
    bits.ue(width_mbs - 1, height_mbs - 1).u(1, 1).u(1, 1).u(1, bool(cropping))
    return bits.ue(*cropping).u(1, 0).unit(0x67)


def sets(x264: str, **shape: int) -> tuple[bytes, bytes]:
    nals = encoded(4, x264, **shape)[0].nals
    return tuple(next(n for n in nals if n[0] & 31 == kind) for kind in (SPS, PPS))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("x264", "shape", "wanted"),
    [
        (PLAIN, {}, {"width": 160, "height": 96, "reorder_frames": 0, "frame_ns": 40_000_000}),
        (PLAIN, {"width": 318, "height": 178}, {"width": 318, "height": 178}),
        (PLAIN, {"fps": 50}, {"frame_ns": 20_000_000}),
        ("bframes=1:b-pyramid=none", {}, {"reorder_frames": 1}),
        ("bframes=3:b-pyramid=normal", {}, {"reorder_frames": 2}),
        ("interlaced=1", {}, {"frame_mbs_only": False, "height": 96}),
        ("nal-hrd=cbr:bitrate=500:vbv-maxrate=500:vbv-bufsize=500", {}, {"reorder_frames": 2}),
        ("cqm=jvt", {}, {"width": 160, "chroma_format": 1, "luma_bits": 8}),
    ],
)
def test_a_sequence_set_says_what_the_encoder_was_told(
    x264: str, shape: dict[str, int], wanted: dict[str, object]
) -> None:
    found = read_sps(sets(x264, **shape)[0])
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_cropping_counts_in_chroma_samples() -> None:
    found = read_sps(sps(width_mbs=120, height_mbs=68, cropping=(0, 0, 0, 4)))
    assert (found.width, found.height) == (1920, 1080)


@pytest.mark.parametrize(
    "unit",
    [
        b"",
        b"\x67",
        b"\x68\xce\x3c\x80",
        b"\x67\x42\xc0\x1f\x8c",
        b"\x67" + bytes(40),
        sps(width_mbs=1, cropping=(4, 4, 0, 0)),
        b"\x67\x42\0\x1f" + b"\0\0\3\0" * 20,
    ],
)
def test_a_damaged_sequence_set_is_refused(unit: bytes) -> None:
    with pytest.raises(ValueError, match="sequence parameter set"):
        read_sps(unit)


@given(st.binary(max_size=200))
def test_nothing_but_a_value_error_comes_of_garbage(data: bytes) -> None:
    good_sps, good_pps = (read_sps(sets(PLAIN)[0]), read_pps(sets(PLAIN)[1]))
    for read in (
        lambda: read_sps(b"\x67" + data),
        lambda: read_pps(b"\x68" + data),
        lambda: read_slice(b"\x65" + data, good_sps, good_pps),
        lambda: recovery_frames(b"\x06" + data),
    ):
        try:
            read()
        except ValueError as error:
            assert str(error)  # noqa: PT017


@given(st.lists(st.integers(0, 2**32 - 2), max_size=20))
def test_exp_golomb_numbers_are_read_as_written(values: list[int]) -> None:
    bits = Bits(Writer().ue(*values).unit(0x67).replace(b"\0\0\3", b"\0\0")[1:])
    assert [bits.ue() for _ in values] == values


@pytest.mark.parametrize(
    "x264",
    [PLAIN, "bframes=3:b-pyramid=normal:slices=4", "slice-max-size=150", "keyint=1:slices=2"],
)
def test_slice_headers_tell_pictures_apart(x264: str) -> None:
    units = encoded(40, x264)
    raw = sets(x264)
    known, picture = read_sps(raw[0]), read_pps(raw[1])
    last = None
    for unit in units:
        for number, nal in enumerate(n for n in unit.nals if n[0] & 31 in {1, IDR}):
            head = read_slice(nal, known, picture)
            if last is not None:
                assert same_picture(last, head) == (number > 0)
            assert (head.first_mb == 0) == (number == 0)
            last = head


def test_the_fields_of_a_frame_belong_together() -> None:
    raw = sets("interlaced=1")
    known, picture = read_sps(raw[0]), read_pps(raw[1])
    slice_ = next(n for n in encoded(4, "interlaced=1")[1].nals if n[0] & 31 == 1)
    top = read_slice(slice_, known, picture)._replace(field=True, bottom=False)
    bottom = top._replace(bottom=True)
    assert second_field(top, bottom)
    assert not second_field(top, top)
    assert not second_field(top, bottom._replace(frame_num=top.frame_num + 1))


@pytest.mark.parametrize(
    ("x264", "depth"),
    [
        (PLAIN, 0),
        ("keyint=30:scenecut=0:bframes=2:b-adapt=0:b-pyramid=none", 1),
        ("keyint=30:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal", 2),
    ],
)
def test_the_reorder_depth_is_found_without_the_streams_word(x264: str, depth: int) -> None:
    raw = sets(x264)
    told = read_sps(raw[0])
    silent = told._replace(reorder_frames=None)
    picture = read_pps(raw[1])
    known, guessed = Reordering(), Reordering()
    orders = []
    units = encoded(60, x264)
    for unit in units:
        head = read_slice(next(n for n in unit.nals if n[0] & 31 in {1, 5}), told, picture)
        orders.append(known.see(head, told))
        guessed.see(head, silent)
    assert known.depth == depth
    assert depth <= guessed.depth <= told.max_ref_frames
    assert (guessed.depth > 0) == (depth > 0)
    tops = [max((u.shown for u in units[:n]), default=-1) for n in range(60)]
    assert [o.later for o in orders] == [u.shown > top for u, top in zip(units, tops, strict=True)]
    assert [o.pictures for o in orders if not o.first] == [
        u.shown - top for u, top, o in zip(units, tops, orders, strict=True) if not o.first
    ]


def test_the_first_slice_of_a_frame() -> None:
    unit = encoded(4, PLAIN)[0]
    data = b"".join(len(n).to_bytes(4, "big") + n for n in unit.nals)
    slice_ = h264.first_slice(data)
    assert slice_ is not None
    assert slice_ in {nal[:64] for nal in unit.nals if nal[0] & 31 == IDR}
    assert h264.first_slice(b"\0\0\0\2\x09\xf0") is None
    assert h264.parameter_sets(avcc(unit)) == list(sets(PLAIN))
