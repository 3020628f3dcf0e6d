from __future__ import annotations

import threading
import time
from typing import Any

import gi

from touchline.ipc.wire import SimulatedPicture
from touchline.media.picture.testpicture import read_counter
from touchline.worker.pipeline.picturefeed import PictureFeed, appsrc_for

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)

SIZE = (320, 180)
PICTURE = SimulatedPicture("TEST", *SIZE, 50, 1)


class Source:
    """Stands for `appsrc`: takes what it is given, and may be full."""

    def __init__(self) -> None:
        self.buffers: list[Any] = []
        self.queued = 0
        self.takes = Gst.FlowReturn.OK

    def get_property(self, name: str) -> int:
        assert name == "current-level-buffers"
        return self.queued

    def emit(self, signal: str, buffer: Any) -> Any:
        assert signal == "push-buffer"
        self.buffers.append(buffer)
        return self.takes


def run(source: Source, enough: Any, base_ns: int) -> PictureFeed:
    """A feed that runs until enough has happened."""
    stopping = threading.Event()
    feed = PictureFeed(PICTURE, source, stopping)
    thread = threading.Thread(target=feed.run, args=(base_ns,))
    thread.start()
    deadline_s = time.monotonic() + 30.0
    while not enough(feed) and time.monotonic() < deadline_s:
        time.sleep(0.005)
    stopping.set()
    thread.join(30.0)
    assert not thread.is_alive()
    return feed


def test_pictures_have_their_number_and_time_on_the_common_clock() -> None:
    source, base_ns = Source(), time.monotonic_ns()
    run(source, lambda _: len(source.buffers) >= 5, base_ns)
    step_ns = 20_000_000
    for buffer in source.buffers:
        at_ns = base_ns + buffer.pts
        assert at_ns % step_ns == 0, "all cameras are in phase"
        found, content = buffer.map(Gst.MapFlags.READ)
        assert found
        assert read_counter(bytes(content.data), *SIZE) == at_ns // step_ns & 0xFFFFFFFF
        buffer.unmap(content)
    assert source.buffers[0].pts >= 0


def test_pictures_that_nobody_takes_are_skipped_and_counted() -> None:
    source = Source()
    source.queued = 10
    feed = run(source, lambda feed: feed.skipped >= 3, time.monotonic_ns())
    assert source.buffers == []
    assert feed.skipped >= 3


def test_a_source_that_is_shut_ends_the_feed() -> None:
    source = Source()
    source.takes = Gst.FlowReturn.FLUSHING
    feed = PictureFeed(PICTURE, source, threading.Event())
    feed.run(time.monotonic_ns())
    assert len(source.buffers) == 1


def test_the_source_is_described_by_the_picture() -> None:
    element = appsrc_for(SimulatedPicture("TEST", 1280, 720, 30000, 1001))
    assert element.factory == "appsrc"
    assert "width=1280,height=720,framerate=30000/1001" in str(element.properties["caps"])
