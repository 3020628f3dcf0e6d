"""Whether players can begin at a camera's keyframes."""

from __future__ import annotations

from itertools import islice

import pytest

from coded import frame, frames
from live.test_frames import fed
from support.codedcamera import GOP, PLAIN, Coding, coded_frames
from touchline.live.frames import Stream
from touchline.live.joining import WHOLE_AFTER_KEYFRAMES, Joining
from touchline.live.transcodes import REORDERS, UNJOINABLE, Transcode


@pytest.mark.parametrize(
    ("coding", "possible"),
    [
        (PLAIN, True),
        (Coding(b_frames=2), True),
        (Coding(b_frames=3, b_pyramid=True), True),
        # Nothing refers to the pictures that lack theirs: decoders do without them.
        (Coding(b_frames=2, open_gop=True), True),
        (Coding(b_frames=3, b_pyramid=True, open_gop=True), False),
    ],
)
def test_only_referenced_pictures_across_a_keyframe_are_in_the_way(
    coding: Coding,
    possible: bool,  # noqa: FBT001
) -> None:
    joining = Joining()
    for each in islice(coded_frames(coding), 3 * GOP):
        joining.see(each)
    assert joining.possible is possible


def test_it_is_known_with_the_first_such_picture_and_forgotten_after_some_gops_without() -> None:
    joining = Joining()
    across = frame(28)._replace(dts_ns=frame(31).dts_ns)
    changes = [joining.see(each) for each in (*frames(31, gop=30), across)]
    assert changes == [False] * 31 + [True]
    assert not joining.possible
    later = [frame(n, keyframe=n % 30 == 0) for n in range(32, 600)]
    changed = next(n for n, each in enumerate(later, 32) if joining.see(each))
    assert changed == 30 * (2 + WHOLE_AFTER_KEYFRAMES)
    assert joining.possible


def test_what_begins_anew_continues_nothing() -> None:
    joining = Joining()
    joining.see(frame(30, keyframe=True))
    joining.begin()
    joining.see(frame(2))
    assert joining.possible


def test_a_frame_that_cannot_be_read_says_nothing() -> None:
    joining = Joining()
    joining.see(frame(30, keyframe=True))
    joining.see(frame(28)._replace(data=b"\0\0\0\xff\x61"))
    assert joining.possible


def test_the_reason_of_a_transcode_says_which_players_need_it() -> None:
    stream = Stream("cam0")
    fed(stream)
    shown = Transcode(stream, lambda _: None, lambda: None)
    stream.push(frame(30, keyframe=True))
    assert shown.reason == REORDERS
    stream.push(frame(28)._replace(dts_ns=frame(31).dts_ns))
    assert shown.reason == UNJOINABLE
    assert (stream.joinable, stream.status()["joinable"]) == (False, False)
