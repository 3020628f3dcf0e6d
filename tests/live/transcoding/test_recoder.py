from __future__ import annotations

from fractions import Fraction
from itertools import islice, pairwise

import av
import pytest

from support.codedcamera import FRAME_NS, GOP, PLAIN, Coding, coded_frames
from touchline.live.transcoding.recoder import (
    MAX_PIXELS,
    MAX_SOURCE_PIXELS,
    CannotDecode,
    Decoder,
    LiveEncoder,
    fitting,
)

REORDERED = Coding(b_frames=2)


def decoded(coding: Coding, count: int = GOP, *, first: int = 0) -> list[av.VideoFrame]:
    decoder = Decoder()
    frames = list(islice(coded_frames(coding), first, count))
    return [each for frame in frames for each in decoder.decode(frame, hurry=False)]


def test_pictures_come_in_the_order_of_showing_at_their_own_times() -> None:
    times_ns = [each.pts or 0 for each in decoded(REORDERED)]
    assert times_ns == sorted(times_ns)
    assert {b - a for a, b in pairwise(times_ns)} == {FRAME_NS}
    assert len(times_ns) >= GOP - 3  # the last ones wait for those that follow


def test_nothing_is_decoded_before_the_first_keyframe() -> None:
    assert decoded(PLAIN, first=1) == []
    assert len(decoded(PLAIN, GOP + 5, first=1)) == 5


def test_in_a_hurry_pictures_that_no_other_needs_are_left_out() -> None:
    decoder = Decoder()
    frames = islice(coded_frames(REORDERED), GOP)
    quick = sum(1 for frame in frames for _ in decoder.decode(frame, hurry=True))
    assert quick < len(decoded(REORDERED))


def test_pictures_that_are_too_large_are_refused() -> None:
    (frame,) = islice(coded_frames(), 1)
    side = int(MAX_SOURCE_PIXELS**0.5) + 1
    large = frame._replace(codec=frame.codec._replace(width=side, height=side))
    with pytest.raises(CannotDecode, match="too large"):
        list(Decoder().decode(large, hurry=False))


def test_each_picture_becomes_one_frame_without_reordering() -> None:
    encoder = LiveEncoder()
    frames = [
        encoder.encode(picture, duration_ns=FRAME_NS, keyframe=n == 5, aspect=None)
        for n, picture in enumerate(decoded(PLAIN))
    ]
    assert all(frame is not None for frame in frames)
    made = [frame for frame in frames if frame is not None]
    assert [n for n, frame in enumerate(made) if frame.keyframe] == [0, 5]
    assert [n for n, frame in enumerate(made) if frame.broken] == [0]
    assert all(frame.pts_ns == frame.dts_ns for frame in made)
    assert made[0].codec.avcc[1] == 66, "baseline, which every browser shows"


def test_a_camera_that_changes_its_shape_gets_another_encoder() -> None:
    encoder = LiveEncoder()
    first, second, *_ = decoded(PLAIN)
    whole = encoder.encode(first, duration_ns=FRAME_NS, keyframe=False, aspect=None)
    wide = encoder.encode(second, duration_ns=FRAME_NS, keyframe=False, aspect=Fraction(4, 3))
    assert whole is not None
    assert wide is not None
    assert (wide.keyframe, wide.broken) == (True, True)
    assert wide.codec != whole.codec


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((320, 180), (320, 180)),
        ((1280, 720), (1280, 720)),
        ((321, 181), (320, 180)),
        ((3840, 2160), (1280, 720)),
        ((1, 1), (2, 2)),
    ],
)
def test_a_picture_is_made_to_fit_with_even_sides(
    size: tuple[int, int], fitted: tuple[int, int]
) -> None:
    assert fitting(*size) == fitted
    assert fitted[0] * fitted[1] <= MAX_PIXELS
