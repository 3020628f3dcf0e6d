"""A camera of the worker, on pipelines that do what a test says."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from support.coded import Take, frames
from touchline.ipc.tee import Frame, Tee
from touchline.ipc.wire import Element, PipelineSpec, SimulatedPicture
from touchline.worker.camera.runner import CameraRunner

DEADLINE_S = 60.0
ENCODER = Element("x264enc", {"speed-preset": "ultrafast", "tune": "zerolatency"})
SPEC = PipelineSpec(
    kind="test",
    source=(),
    encode=(ENCODER,),
    picture=SimulatedPicture("Test", 320, 180, 25),
    stall_after_s=0.3,
    start_timeout_s=1.0,
    retry_pause_max_s=0.2,
)


class FakePipeline:
    """Stands in for a pipeline: does what `plan` says each time one is started."""

    def __init__(self, spec: PipelineSpec, **callbacks: Any) -> None:
        self.spec = spec
        self.on_frame: Callable[[Frame], None] = callbacks["on_frame"]
        self.on_end: Callable[[str], None] = callbacks["on_end"]
        self.on_warning: Callable[[str], None] = callbacks["on_warning"]
        self.frames = 0
        self.queue_overruns = self.source_skipped = 0
        self.data_seen = False
        self.last_raw_ns = 0
        self.last_frame_ns = time.monotonic_ns()
        self.transcoded, self.source_format, self.codec = False, "h264", None
        self.stopped = threading.Event()
        self.keyframes_asked = 0
        Bench.made.append(self)
        Bench.built.append(time.monotonic())

    def start(self, _not_before_ns: int = 0) -> None:
        Bench.plan(self)

    def stop(self) -> None:
        Bench.stop(self)
        self.stopped.set()

    def request_keyframe(self) -> None:
        self.keyframes_asked += 1

    def deliver(self, count: int = 1) -> None:
        for frame in frames(count, gop=25):
            self.frames += 1
            self.data_seen = True
            self.last_frame_ns = time.monotonic_ns()
            self.on_frame(frame)


class Bench:
    """What the fake pipelines do, and what became of them."""

    made: list[FakePipeline]
    built: list[float]
    plan: Callable[[FakePipeline], None]
    stop: Callable[[FakePipeline], None]


@asynccontextmanager
async def running(
    spec: PipelineSpec = SPEC, outlet: Take | None = None, tee: Tee | None = None
) -> AsyncIterator[CameraRunner]:
    tee = tee or Tee()
    if outlet is not None:
        tee.attach_outlet(outlet, with_gop=False)
    camera = CameraRunner(spec, tee, changed=lambda: None)
    task = asyncio.create_task(camera.run())
    try:
        yield camera
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        await asyncio.sleep(0.005)
