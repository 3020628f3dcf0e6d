from __future__ import annotations

import pytest

from support.codedbytes import frame, frames
from support.feeders import fed
from touchline.ipc import wire
from touchline.live.frames.stream import CameraStream

pytestmark = pytest.mark.anyio


async def test_who_joins_late_gets_the_newest_gop_first() -> None:
    stream = CameraStream("cam0")
    fed(stream)
    for each in frames(7, gop=3):
        stream.push(each)
    subscription = stream.subscribe()
    stream.push(frame(7))
    assert [(await subscription.get()).pts_ns for _ in range(2)] == [
        frame(6).pts_ns,
        frame(7).pts_ns,
    ]
    assert stream.gop_ns == frame(3).pts_ns


async def test_a_feed_that_left_frames_out_goes_on_with_a_broken_keyframe() -> None:
    stream = CameraStream("cam0")
    fed(stream)
    stream.push(frame(0, keyframe=True))
    stream.push(frame(5), skipped=3)
    stream.push(frame(6, keyframe=True))
    subscription = stream.subscribe()
    first = await subscription.get()
    assert (first.pts_ns, first.broken) == (frame(6).pts_ns, True)
    assert (stream.skipped, stream.frames) == (3, 2)


async def test_keyframes_are_asked_for_once_however_many_want_one() -> None:
    stream = CameraStream("cam0")
    stream.request_keyframe()  # nobody feeds it yet: nothing happens
    writer = fed(stream)
    for _ in range(5):
        stream.subscribe()
    assert writer.written == [wire.KEYFRAME_PLEASE]


async def test_a_stream_is_up_from_its_first_keyframe_until_its_feed_ends() -> None:
    told: list[bool] = []
    stream = CameraStream("cam0", lambda s: told.append(s.up))
    assert not await stream.wait_up(0.01)
    writer = fed(stream)
    stream.push(frame(0, keyframe=True))
    assert await stream.wait_up(1)
    newer = fed(stream)
    assert writer.closed, "a new feed sends the old one away"
    stream.detach(writer)
    assert told == [True], "and the old one's end is not the new one's"
    stream.detach(newer)
    assert told == [True, False]
