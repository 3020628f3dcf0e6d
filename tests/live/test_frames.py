from __future__ import annotations

import asyncio

import pytest

from support.codedbytes import CODEC, frame, frames
from touchline.ipc import wire
from touchline.live.frames import Closed, Frame, Stream, Streams

pytestmark = pytest.mark.anyio


class Writer:
    """What goes back to the worker."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def fed(stream: Stream) -> Writer:
    writer = Writer()
    stream.attach(writer)
    return writer


async def test_who_joins_late_gets_the_newest_gop_first() -> None:
    stream = Stream("cam0")
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


async def test_a_slow_reader_loses_whole_gops_and_nobody_else_does() -> None:
    stream = Stream("cam0")
    fed(stream)
    slow = stream.subscribe(limit_bytes=45)
    quick = stream.subscribe()
    seen = []
    for each in frames(20, gop=5, size=10):
        stream.push(each)
        seen.append(await quick.get())
    assert [f.pts_ns for f in seen] == [f.pts_ns for f in frames(20, gop=5)]
    taken = [await slow.get() for _ in range(slow.waiting)]
    assert [f.keyframe for f in taken] == [True, False, False, False]
    assert (slow.dropped, quick.dropped, stream.dropped) == (16, 0, 16)
    for each in frames(26, gop=5, size=10)[20:]:
        stream.push(each)
    resumed = await slow.get()
    assert resumed.keyframe
    assert resumed.broken, "what it gets now does not continue what it had"


async def test_a_feed_that_left_frames_out_goes_on_with_a_broken_keyframe() -> None:
    stream = Stream("cam0")
    fed(stream)
    stream.push(frame(0, keyframe=True))
    stream.push(frame(5), skipped=3)
    stream.push(frame(6, keyframe=True))
    subscription = stream.subscribe()
    first = await subscription.get()
    assert (first.pts_ns, first.broken) == (frame(6).pts_ns, True)
    assert (stream.skipped, stream.frames) == (3, 2)


async def test_keyframes_are_asked_for_once_however_many_want_one() -> None:
    stream = Stream("cam0")
    stream.request_keyframe()  # nobody feeds it yet: nothing happens
    writer = fed(stream)
    for _ in range(5):
        stream.subscribe()
    assert writer.written == [wire.KEYFRAME_PLEASE]


async def test_a_stream_is_up_from_its_first_keyframe_until_its_feed_ends() -> None:
    told: list[bool] = []
    stream = Stream("cam0", lambda s: told.append(s.up))
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


async def test_a_closed_subscription_ends_its_reader() -> None:
    stream = Stream("cam0")
    subscription = stream.subscribe()
    reader = asyncio.create_task(subscription.get())
    await asyncio.sleep(0)
    subscription.close()
    with pytest.raises(Closed):
        await reader
    assert [each async for each in subscription] == []
    assert stream.subscribers == 0


def head(each: Frame, *, codec: bool, skipped: int = 0) -> bytes:
    return (
        wire.encode_feed_head(
            wire.FeedHead(
                each.pts_ns, each.dts_ns, each.duration_ns, each.keyframe, each.broken, skipped,
                len(each.data), CODEC if codec else None,
            )
        )
        + each.data
    )  # fmt: skip


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
