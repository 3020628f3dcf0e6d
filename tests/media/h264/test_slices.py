from __future__ import annotations

import pytest

from support.parametersets import PLAIN, sets
from support.rtpcamera import encoded
from touchline.media.h264.slices import read_slice, same_picture, second_field
from touchline.media.h264.syntax import IDR, read_pps, read_sps


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
