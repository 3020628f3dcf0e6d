from __future__ import annotations

from itertools import islice

import pytest

from support.codedbytes import CODEC, frame
from support.codedcamera import GOP, PLAIN, Coding, coded_frames
from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.shownorder import PLAIN_AFTER_NS, ShownOrder
from touchline.media.h264.codec import Codec

MAIN = Codec(320, 180, CODEC.avcc.replace(b"\x42\xc0\x1f", b"\x4d\x40\x1f"))
"""Main profile, which may reorder and does not say whether it does."""


def shown(*numbers: int, codec: Codec = MAIN) -> list[LiveFrame]:
    """Frames in the order of sending, each shown at its number."""
    return [frame(n, keyframe=n == numbers[0])._replace(codec=codec) for n in numbers]


@pytest.mark.parametrize(("coding", "reorders"), [(PLAIN, False), (Coding(b_frames=2), True)])
def test_a_camera_that_says_what_it_does_is_known_from_its_first_frame(
    coding: Coding, *, reorders: bool
) -> None:
    order = ShownOrder()
    frames = list(islice(coded_frames(coding), 2 * GOP))
    assert order.see(frames[0]) is reorders
    assert not any(order.see(each) for each in frames[1:]), "it is no news again"
    assert order.reorders is reorders


def test_a_picture_that_is_shown_before_an_earlier_one_is_reordered() -> None:
    order = ShownOrder()
    assert [order.see(each) for each in shown(0, 1, 4, 2, 3)] == [False, False, False, True, False]
    assert order.reorders


def test_a_baseline_stream_cannot_reorder_whatever_its_times_say() -> None:
    order = ShownOrder()
    assert not any(order.see(each) for each in shown(0, 1, 4, 2, 3, codec=CODEC))


def test_a_camera_that_has_long_shown_everything_in_order_does_not_reorder() -> None:
    order = ShownOrder()
    for each in shown(0, 3, 1, 2):
        order.see(each)
    begins_ns = frame(3).pts_ns
    later = [frame(n)._replace(codec=MAIN) for n in range(4, 400)]
    changes = [each.pts_ns for each in later if order.see(each)]
    assert len(changes) == 1
    assert changes[0] - begins_ns > PLAIN_AFTER_NS
    assert not order.reorders


def test_a_stream_that_begins_anew_earlier_is_not_reordered() -> None:
    order = ShownOrder()
    for each in shown(100, 101):
        order.see(each)
    order.begin()
    assert not order.see(shown(5)[0])
    assert not order.see(frame(3, keyframe=True, broken=True)._replace(codec=MAIN))
    assert not order.reorders


def test_a_camera_that_is_set_to_another_profile_is_judged_anew() -> None:
    order = ShownOrder()
    for each in shown(0, 3, 1):
        order.see(each)
    assert order.see(frame(4, keyframe=True)._replace(codec=CODEC))
    assert not order.reorders
