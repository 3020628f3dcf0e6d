from __future__ import annotations

import asyncio

import pytest

from support.codedbytes import frame, frames
from support.feeders import head
from touchline.live.frames.frame import read_frames

pytestmark = pytest.mark.anyio


async def test_frames_are_read_with_their_codec_and_with_what_was_left_out_before() -> None:
    reader = asyncio.StreamReader()
    first, second = frames(2, gop=2)
    reader.feed_data(head(first, codec=True) + head(second, codec=False, skipped=4))
    read = read_frames(reader)
    assert [await anext(read), await anext(read)] == [(first, 0), (second, 4)]


async def test_the_end_within_a_frame_is_no_end_of_frames() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(head(frame(0, keyframe=True), codec=True)[:-1])
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await anext(read_frames(reader))
