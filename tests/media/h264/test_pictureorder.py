from __future__ import annotations

from typing import Any

import pytest

from support.parametersets import PLAIN, sets
from support.rtpcamera import encoded
from touchline.media.h264.pictureorder import PictureOrder
from touchline.media.h264.slices import Slice, read_slice
from touchline.media.h264.syntax import IDR, Sps, read_pps, read_sps

SPS = read_sps(sets(PLAIN)[0])


def head(**fields: Any) -> Slice:
    """The slice header of a reference picture that is no IDR picture."""
    given: dict[str, Any] = dict.fromkeys(Slice._fields, 0)
    return Slice(**{**given, "unit_type": 1, "ref_idc": 1, **fields})


def counts(sps: Sps, *heads: Slice) -> list[int]:
    order = PictureOrder()
    return [order.count(each, sps) for each in heads]


@pytest.mark.parametrize(
    "x264", [PLAIN, "keyint=12:bframes=3:b-adapt=0:b-pyramid=normal", "keyint=12:bframes=2"]
)
def test_counts_rise_as_the_pictures_of_a_stream_are_shown(x264: str) -> None:
    sps, pps = read_sps(sets(x264)[0]), read_pps(sets(x264)[1])
    order, shown = PictureOrder(), []
    for unit in encoded(36, x264):
        slice_ = read_slice(next(n for n in unit.nals if n[0] & 31 in {1, 5}), sps, pps)
        shown.append((slice_.unit_type == IDR, order.count(slice_, sps), unit.shown))
    begins = [n for n, (idr, *_) in enumerate(shown) if idr]
    for first, last in zip(begins, [*begins[1:], len(shown)], strict=True):
        between = sorted(shown[first:last], key=lambda each: each[1])
        assert [each[2] for each in between] == sorted(each[2] for each in between)


def test_numbers_that_wrap_go_on() -> None:
    sps = SPS._replace(poc_type=0, poc_lsb_bits=4)
    heads = [head(unit_type=IDR), *(head(poc_lsb=n) for n in (8, 14, 4, 2, 10))]
    assert counts(sps, *heads) == [0, 8, 14, 20, 18, 26]


def test_a_picture_that_nothing_refers_to_is_no_measure_for_the_next() -> None:
    sps = SPS._replace(poc_type=0, poc_lsb_bits=4)
    heads = [head(unit_type=IDR), head(poc_lsb=14, ref_idc=0), head(poc_lsb=2)]
    assert counts(sps, *heads) == [0, -2, 2]


def test_frame_numbers_are_the_order_where_the_stream_says_so() -> None:
    sps = SPS._replace(poc_type=2, frame_num_bits=4)
    heads = [head(unit_type=IDR), *(head(frame_num=n) for n in (14, 15, 0, 1))]
    assert counts(sps, *heads) == [0, 28, 30, 32, 34]
    assert counts(sps, head(unit_type=IDR), head(frame_num=1, ref_idc=0)) == [0, 1]


def test_offsets_of_a_cycle_are_added_up() -> None:
    sps = SPS._replace(poc_type=1, frame_num_bits=4, ref_frame_offsets=(2, 6), non_ref_offset=-1)
    heads = [head(unit_type=IDR), *(head(frame_num=n) for n in (1, 2, 3))]
    assert counts(sps, *heads) == [0, 2, 8, 10]
    assert counts(sps, head(unit_type=IDR), head(frame_num=2, ref_idc=0)) == [0, 1]
