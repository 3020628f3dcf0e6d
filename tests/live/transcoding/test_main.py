from __future__ import annotations

import io
import threading
import time

import pytest

from support.codedbytes import CODEC, frame, frames
from support.codedcamera import GOP, Coding, coded_frames
from support.feeders import head
from touchline.ipc import wire
from touchline.live.frames.frame import FrameEncoder, LiveFrame
from touchline.live.transcoding.__main__ import (
    WAITING_FRAMES,
    Inlet,
    TranscoderOutlet,
    transcode,
)
from touchline.media.h264.codec import Codec

KEYFRAME_PLEASE = wire.encode_feed_head(
    wire.FeedHead(0, 0, 0, keyframe=True, broken=False, skipped=0, data_bytes=0, codec=None)
)


class Feed(io.RawIOBase):
    """A feed that ends when the test says so, and not with its last byte."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.over = threading.Event()

    def read(self, size: int = -1, /) -> bytes:
        found = self._data.read(size)
        if size and not found:
            self.over.wait(60.0)
        return found


def feed_of(*given: LiveFrame) -> bytes:
    return b"".join(head(each, codec=n == 0) for n, each in enumerate(given))


def waiting(inlet: Inlet, number: int) -> None:
    deadline_s = time.monotonic() + 60.0
    while inlet.waiting < number:
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_frames_are_taken_in_their_order_until_the_feed_ends() -> None:
    feed = Feed(feed_of(*frames(3, gop=3)))
    inlet = Inlet(feed)  # type: ignore[arg-type]
    waiting(inlet, 3)
    assert [inlet.take() for _ in range(3)] == frames(3, gop=3)
    feed.over.set()
    assert inlet.take() is None


def test_who_is_far_behind_goes_on_at_the_newest_keyframe() -> None:
    number = WAITING_FRAMES + 30
    feed = Feed(feed_of(*frames(number, gop=50)))
    inlet = Inlet(feed)  # type: ignore[arg-type]
    waiting(inlet, number)
    first, second = inlet.take(), inlet.take()
    feed.over.set()
    assert first == frame(number // 50 * 50 - 50 * (number % 50 == 0), keyframe=True, broken=True)
    assert second is not None
    assert not second.broken


def test_a_keyframe_is_wanted_once_for_each_time_it_is_asked_for() -> None:
    feed = Feed(KEYFRAME_PLEASE + feed_of(frame(0, keyframe=True)))
    inlet = Inlet(feed)  # type: ignore[arg-type]
    waiting(inlet, 1)
    feed.over.set()
    assert [inlet.keyframe_wanted() for _ in range(2)] == [True, False]


def test_a_feed_that_makes_no_sense_ends() -> None:
    assert Inlet(io.BytesIO(b"\xff" * 4096)).take() is None


@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_picture_comes_out_in_the_order_of_showing(b_frames: int) -> None:
    camera = coded_frames(Coding(b_frames=b_frames))
    given = [next(camera) for _ in range(GOP)]
    encoder = FrameEncoder()
    feed = Feed(b"".join(encoder.encode(each) for each in given))
    inlet = Inlet(feed)  # type: ignore[arg-type]
    waiting(inlet, GOP)
    sink = io.BytesIO()
    threading.Thread(target=end_when_taken, args=(inlet, feed)).start()
    transcode(inlet, TranscoderOutlet(sink))

    sink.seek(0)
    found = read(sink)
    times_ns = [each.pts_ns for each in found]
    assert times_ns == sorted(times_ns)
    assert set(times_ns) <= {each.pts_ns for each in given}
    assert len(found) >= 1
    assert found[0].codec != CODEC


def end_when_taken(inlet: Inlet, feed: Feed) -> None:
    """End the feed when everything was taken."""
    deadline_s = time.monotonic() + 60.0
    while inlet.waiting and time.monotonic() < deadline_s:
        time.sleep(0.005)
    feed.over.set()


def read(sink: io.BytesIO) -> list[LiveFrame]:
    found, codec = [], Codec(0, 0, b"")
    while raw := sink.read(wire.FEED_HEAD.size):
        each, avcc_bytes = wire.decode_feed_head(raw)
        if each.codec is not None:
            codec = each.codec._replace(avcc=sink.read(avcc_bytes))
        data = sink.read(each.data_bytes)
        found.append(
            LiveFrame(
                data,
                each.pts_ns,
                each.dts_ns,
                each.duration_ns,
                each.keyframe,
                each.broken,
                codec,
            )
        )
    return found
