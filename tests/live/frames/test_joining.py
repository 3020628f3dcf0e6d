"""Whether players can begin at a camera's keyframes."""

from __future__ import annotations

from itertools import islice
from typing import Any

import av
import pytest

from support.codedbytes import frame, frames
from support.codedcamera import GOP, PLAIN, Coding, coded_frames
from support.feeders import fed
from touchline.ipc.wire import REORDERS, UNJOINABLE
from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.joining import FORGET_AFTER_KEYFRAMES, Joining
from touchline.live.frames.stream import CameraStream
from touchline.live.transcoding.transcode import CameraTranscode
from touchline.media.h264.units import annex_b


@pytest.mark.parametrize(
    ("coding", "possible"),
    [
        (PLAIN, True),
        (Coding(b_frames=2), True),
        (Coding(b_frames=3, b_pyramid=True), True),
        # Nothing is kept for later there, and decoders do without what they lack.
        (Coding(b_frames=2, open_gop=True), True),
        (Coding(b_frames=3, b_pyramid=True, open_gop=True), False),
        (Coding(b_frames=2, b_pyramid=True, open_gop=True), False),
    ],
)
def test_keyframes_without_idr_are_in_the_way_where_b_frames_are_referred_to(
    coding: Coding,
    possible: bool,  # noqa: FBT001
) -> None:
    joining = Joining()
    for each in islice(coded_frames(coding), 2 * GOP):
        joining.see(each)
    assert joining.possible is possible


@pytest.mark.parametrize(
    ("coding", "complaints"),
    [
        (Coding(b_frames=3, b_pyramid=True), False),
        (Coding(b_frames=3, open_gop=True), False),
        (Coding(b_frames=3, b_pyramid=True, open_gop=True), True),
    ],
)
def test_it_is_what_a_strict_decoder_complains_of(
    coding: Coding,
    complaints: bool,  # noqa: FBT001
) -> None:
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.options = {"err_detect": "explode"}  # as Chromium has it
    found = list(islice(coded_frames(coding), GOP + 20))[GOP - 1 :]
    begun = next(n for n, each in enumerate(found) if each.keyframe)
    failed = []
    for each in found[begun:]:
        try:
            decoder.decode(av.Packet(annex_b(each.data, each.codec)))
        except av.FFmpegError as error:
            failed.append(error)
    assert bool(failed) is complaints


def b_frame(number: int, sent: int) -> LiveFrame:
    """Shown as `number`, sent as `sent`, and referred to."""
    return frame(number)._replace(dts_ns=frame(sent).dts_ns)


def open_keyframe(number: int) -> LiveFrame:
    return frame(number)._replace(keyframe=True)


def test_it_is_known_at_the_keyframe_and_forgotten_after_some_gops_without() -> None:
    joining = Joining()
    first = [*frames(11, gop=30), b_frame(9, 11), *(frame(n) for n in range(12, 30))]
    assert not any(joining.see(each) for each in first)
    assert joining.see(open_keyframe(30))
    assert not joining.possible
    later = [frame(n, keyframe=n % 30 == 0) for n in range(31, 600)]
    changed = next(n for n, each in enumerate(later, 31) if joining.see(each))
    assert changed == 30 * (1 + FORGET_AFTER_KEYFRAMES)
    assert joining.possible


def test_where_the_first_keyframe_is_open_it_is_known_with_the_first_referenced_b_frame() -> None:
    joining = Joining()
    assert not joining.see(open_keyframe(30))
    assert not joining.see(frame(34))
    assert joining.see(b_frame(32, 32))
    assert not joining.possible


def test_what_begins_anew_continues_nothing() -> None:
    joining = Joining()
    joining.see(open_keyframe(30))
    joining.begin()
    joining.see(frame(2))
    assert joining.possible


def test_a_frame_that_cannot_be_read_says_nothing() -> None:
    joining = Joining()
    joining.see(open_keyframe(30))
    joining.see(frame(28)._replace(data=b"\0\0\0\xff\x61"))
    assert joining.possible


def test_the_reason_of_a_transcode_says_which_players_need_it() -> None:
    stream = CameraStream("cam0")
    fed(stream)
    shown = CameraTranscode(stream, lambda _: None, lambda: None)
    stream.push(open_keyframe(30))
    stream.push(frame(34))
    assert shown.reason == REORDERS
    stream.push(b_frame(32, 35))
    assert shown.reason == UNJOINABLE
    assert (stream.joinable, stream.status()["joinable"]) == (False, False)
