from __future__ import annotations

import asyncio

import pytest

from support.codedbytes import frame, frames
from support.feeders import Writer, head
from touchline.ipc import wire
from touchline.live.frames.streams import Streams

pytestmark = pytest.mark.anyio


async def test_a_worker_s_feed_arrives_as_it_was_sent() -> None:
    streams = Streams()
    reader, writer = asyncio.StreamReader(), Writer()
    reader.feed_data(wire.encode({"camera": "cam3"}))
    sent = frames(4, gop=2)
    for n, each in enumerate(sent):
        reader.feed_data(head(each, codec=n == 0))
    reader.feed_data(head(frame(9, keyframe=True), codec=False)[:20])  # it dies in between
    reader.feed_eof()
    subscription = streams.get("cam3").subscribe()
    await streams.serve_feed(reader, writer)  # type: ignore[arg-type]
    assert [await subscription.get() for _ in range(subscription.waiting)] == sent
    assert writer.closed
    assert not streams.get("cam3").up


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"camera":"c"}\n' + bytes(99)]
)
async def test_what_is_no_feed_is_given_up(junk: bytes) -> None:
    streams = Streams()
    reader, writer = asyncio.StreamReader(), Writer()
    reader.feed_data(junk)
    reader.feed_eof()
    await streams.serve_feed(reader, writer)  # type: ignore[arg-type]
    assert writer.closed
