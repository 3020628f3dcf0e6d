"""Pipelines of the worker that run in a test, and what comes out of them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from support.coded import Take
from touchline.ipc.wire import Element, PipelineSpec, SimulatedPicture
from touchline.worker.pipeline.pipeline import Pipeline

DEADLINE_S = 60.0
FPS = 25
ENCODE = (
    Element("videoconvert"),
    Element("capsfilter", {"caps": "video/x-raw,format=I420"}),
    Element(
        "x264enc",
        {
            "speed-preset": "ultrafast",
            "tune": "zerolatency",
            "key-int-max": FPS,
            "option-string": "scenecut=0",
        },
    ),
)
PICTURE = PipelineSpec(
    kind="test", source=(), encode=ENCODE, picture=SimulatedPicture("Test", 320, 180, FPS)
)


def camera(*, leaky: bool = False) -> PipelineSpec:
    """Raw pictures at the pace of a clock, as from a V4L2 camera."""
    queue: tuple[Element, ...] = ()
    if leaky:
        limits = {"max-size-buffers": 2, "max-size-bytes": 0, "max-size-time": 0}
        # An encoder that takes 100 ms for a picture that comes every 40 ms.
        slow = Element("identity", {"sleep-time": 100_000})
        queue = (Element("queue", {"leaky": "downstream", **limits}), slow)
    caps = f"video/x-raw,format=YUY2,width=320,height=180,framerate={FPS}/1"
    return PipelineSpec(
        kind="v4l2",
        source=(Element("videotestsrc", {"is-live": True}), Element("capsfilter", {"caps": caps})),
        encode=(*queue, *ENCODE),
    )


def file_source(path: Path, *, loop: bool = True) -> PipelineSpec:
    return PipelineSpec(
        kind="file",
        source=(Element("filesrc", {"location": str(path)}),),
        encode=ENCODE,
        demux=True,
        paced=True,
        loop=loop,
        start_timeout_s=5,
    )


class Run(Take):
    """A pipeline's frames, end and warnings."""

    def __init__(self, spec: PipelineSpec, caps: Any = None) -> None:
        super().__init__()
        self.ended = threading.Event()
        self.ends: list[str] = []
        self.warnings: list[str] = []
        self.pipeline = Pipeline(
            spec,
            on_frame=self.push,
            on_end=self._end,
            on_warning=self.warnings.append,
            caps=caps,
        )

    def _end(self, reason: str) -> None:
        self.ends.append(reason)
        self.ended.set()

    def wait_for(self, count: int) -> None:
        eventually(lambda: len(self.frames) >= count, f"{count} frames ({self.ends})")


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.005)


@contextmanager
def running(spec: PipelineSpec, not_before_ns: int = 0, caps: Any = None) -> Iterator[Run]:
    run = Run(spec, caps)
    try:
        run.pipeline.start(not_before_ns)
        yield run
    finally:
        run.pipeline.stop()
    assert all(not thread.is_alive() for thread in run.pipeline._threads)


def drawn(path: Path, seconds: float, *codec: str) -> Path:
    """A file made by ffmpeg of one of its own moving pictures."""
    source = f"testsrc=size=320x180:rate={FPS}:duration={seconds}"
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source]
    subprocess.run([*command, "-pix_fmt", "yuv420p", *codec, str(path)], check=True)
    return path


H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2", "-b_strategy", "0")


def interval_ms(run: Run) -> Sequence[int]:
    shown = sorted(frame.pts_ns for frame in run.frames)
    return [round((b - a) / 1e6) for a, b in pairwise(shown)]
