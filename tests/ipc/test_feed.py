from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.codedbytes import CODEC, frames
from support.server import wait_for
from touchline.ipc import wire
from touchline.ipc.feed import Feed
from touchline.ipc.tee import Frame, Tee


def coded(count: int, *, gop: int = 10, size: int = 1000) -> list[Frame]:
    return [
        Frame(f.data, f.pts_ns, f.dts_ns, f.duration_ns, f.keyframe, f.codec)
        for f in frames(count, gop=gop, size=size)
    ]


class Live:
    """The other end of a feed, which reads when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "live-feed.sock"
        self._listener = wire.listen(folder, "live-feed")
        self.keyframes = 0
        self.ended = threading.Event()

    def feed(self, **options: int) -> Feed:
        made = Feed(
            self.path, "cam0", keyframe_wanted=self._wanted, ended=lambda _: self.ended.set(),
            **options,
        )  # fmt: skip
        self.connection, _ = self._listener.accept()
        self.connection.settimeout(10)
        self.stream = self.connection.makefile("rb")
        return made

    def _wanted(self) -> None:
        self.keyframes += 1

    def hello(self) -> dict[str, object]:
        return wire.decode(self.stream.readline())

    def read(self) -> tuple[wire.FeedHead, bytes, bytes]:
        head, avcc_bytes = wire.decode_feed_head(self.stream.read(wire.FEED_HEAD.size))
        return head, self.stream.read(avcc_bytes), self.stream.read(head.data_bytes)

    def close(self) -> None:
        self.stream.close()
        self.connection.close()
        self._listener.close()


@contextmanager
def live(folder: Path) -> Iterator[Live]:
    made = Live(folder)
    try:
        yield made
    finally:
        made.close()


def test_frames_arrive_whole_and_in_order_from_a_keyframe_on(tmp_path: Path) -> None:
    with live(tmp_path) as other:
        feed = other.feed()
        sent = coded(13)
        for frame in sent[3:]:
            feed.push(frame)
        assert other.hello()["camera"] == "cam0"
        head, avcc, data = other.read()
        assert (head.pts_ns, head.keyframe, data) == (sent[10].pts_ns, True, sent[10].data)
        assert head.codec is not None
        assert (head.codec.width, avcc) == (320, CODEC.avcc)
        head, avcc, data = other.read()
        assert (head.codec, avcc, data) == (None, b"", sent[11].data)
        head, _, data = other.read()
        assert (head.pts_ns, data) == (sent[12].pts_ns, sent[12].data)
        assert feed.skipped == 0
        feed.close()
        assert other.stream.read() == b""


def test_a_live_process_that_hangs_costs_frames_of_the_feed_only(tmp_path: Path) -> None:
    with live(tmp_path) as other:
        tee, taken = Tee(), []

        class Recorder:
            def push(self, frame: Frame) -> None:
                taken.append(frame)

            def interrupted(self, reason: str) -> None:
                raise AssertionError(reason)

        feed = other.feed(limit_bytes=300_000)
        tee.attach_outlet(feed, with_gop=False)
        tee.attach_outlet(Recorder(), with_gop=False)
        sent = coded(900, size=5000)  # more than the socket and the queue hold
        for frame in sent:
            tee.push(frame)
        assert taken == sent
        assert feed.skipped > 0
        status = feed.status()
        assert status["queued_bytes"] <= 300_000
        other.hello()
        seen: list[tuple[wire.FeedHead, bytes, bytes]] = []
        wait_for(lambda: read_all(other, seen, feed), "everything that was queued")
        skipped = sum(head.skipped for head, _, _ in seen)
        assert len(seen) + feed.skipped >= 899
        assert all(head.keyframe for head, _, _ in seen if head.skipped)
        tee.push(coded(911)[910])
        head, _, _ = other.read()
        assert head.keyframe
        assert head.skipped + skipped == feed.skipped, "what was left out is told with the next"
        feed.close()


def read_all(other: Live, seen: list[tuple[wire.FeedHead, bytes, bytes]], feed: Feed) -> bool:
    # The feed counts a frame after it has sent it: what is told and what came differ for a moment.
    while len(seen) < feed.frames:
        seen.append(other.read())
    return not feed.status()["queued_bytes"]


def test_a_camera_that_broke_off_goes_on_with_a_broken_keyframe(tmp_path: Path) -> None:
    with live(tmp_path) as other:
        feed = other.feed()
        sent = coded(21)
        feed.push(sent[0])
        feed.interrupted("the camera is gone")
        for frame in sent[5:11]:
            feed.push(frame)
        other.hello()
        assert [(h.pts_ns, h.broken) for h, _, _ in (other.read(), other.read())] == [
            (sent[0].pts_ns, False),
            (sent[10].pts_ns, True),
        ]
        feed.close()


def test_a_byte_back_asks_for_a_keyframe(tmp_path: Path) -> None:
    with live(tmp_path) as other:
        feed = other.feed()
        other.connection.sendall(wire.KEYFRAME_PLEASE)
        wait_for(lambda: other.keyframes == 1, "asked")
        feed.close()
        assert not other.ended.is_set(), "who closed it need not be told"


def test_the_end_of_the_live_process_is_told_once(tmp_path: Path) -> None:
    with live(tmp_path) as other:
        feed = other.feed()
        other.connection.shutdown(socket.SHUT_RDWR)
        assert other.ended.wait(5)
        feed.push(coded(1)[0])
        assert feed.status()["queued_bytes"] == 0
        feed.close()


def test_nobody_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Feed(tmp_path / "x.sock", "cam0", keyframe_wanted=lambda: None, ended=lambda _: None)


def test_socket_paths_may_be_of_any_length(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with live(deep) as other:
        feed = other.feed()
        assert other.hello()["camera"] == "cam0"
        feed.close()


@pytest.mark.parametrize("junk", [bytes(wire.FEED_HEAD.size), b"TLF1" + b"\xff" * 44])
def test_what_is_no_head_of_a_frame_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="not a feed"):
        wire.decode_feed_head(junk[: wire.FEED_HEAD.size].ljust(wire.FEED_HEAD.size, b"\xff"))
