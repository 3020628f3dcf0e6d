from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.parametersets import PLAIN, sets, sps
from support.rtpcamera import avcc, encoded
from touchline.media.h264 import units as h264
from touchline.media.h264.sei import recovery_frames
from touchline.media.h264.slices import read_slice
from touchline.media.h264.syntax import IDR, read_pps, read_sps


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


def test_the_first_slice_of_a_frame() -> None:
    unit = encoded(4, PLAIN)[0]
    data = b"".join(len(n).to_bytes(4, "big") + n for n in unit.nals)
    slice_ = h264.first_slice(data)
    assert slice_ is not None
    assert slice_ in {nal[:64] for nal in unit.nals if nal[0] & 31 == IDR}
    assert h264.first_slice(b"\0\0\0\2\x09\xf0") is None
    assert h264.parameter_sets(avcc(unit)) == list(sets(PLAIN))
