"""A camera that runs while it is wanted, and what is counted of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from support.cameraruns import SPEC, Bench, FakePipeline, eventually, running
from support.coded import FRAME_NS, Take, frames
from touchline.ipc.tee import Tee
from touchline.ipc.wire import Element
from touchline.worker.awakeclock import AwakeClock
from touchline.worker.camera import runner
from touchline.worker.camera.runner import CameraRunner

pytestmark = pytest.mark.anyio


async def test_a_camera_runs_while_it_is_wanted_and_says_how() -> None:
    taken = Take()
    async with running(outlet=taken) as camera:
        assert camera.status()["state"] == "stopped"
        camera.want(wanted=True)
        await eventually(lambda: camera.playing and len(taken.frames) > 30, "pictures")
        status = camera.status()
        assert status["state"] == "running"
        assert status["fps"] > 0
        assert status["bitrate_bps"] > 0
        assert status["frames"] > 30
        assert status["last_frame_age_s"] is not None
        assert (status["width"], status["height"]) == (320, 180)
        assert status["dropped"]["queue"] == 0
        assert status["last_error"] is None
        camera.want(wanted=False)
        await eventually(lambda: camera.state == "stopped", "the stop")
        count = len(taken.frames)
        await asyncio.sleep(0.1)
        assert len(taken.frames) == count
    assert taken.breaks == [], "a stop that was asked for is no break"


async def test_a_missing_file_is_tried_again_until_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "late.mp4"
    spec = replace(
        SPEC, kind="file", source=(Element("filesrc", {"location": str(path)}),), picture=None
    )
    async with running(replace(spec, demux=True)) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.attempts >= 2, "two attempts")
        status = camera.status()
    assert status["state"] in {"retrying", "starting"}
    assert status["recovering"]
    assert "No such file" in status["last_error"]


async def test_an_element_that_is_missing_is_the_reason_given() -> None:
    spec = replace(SPEC, picture=None, source=(Element("nonsensesrc"),))
    async with running(spec) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.attempts >= 1, "an attempt")
        assert camera.last_error == "the GStreamer element nonsensesrc is not installed"


async def test_a_camera_that_is_kept_running_runs_without_being_wanted(bench: type[Bench]) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(1))
    async with running(replace(SPEC, keep_running=True)) as camera:
        await eventually(lambda: camera.state == "running", "running")
        camera.want(wanted=False)
        assert camera.wanted


async def test_warnings_overruns_and_skipped_pictures_are_kept_over_pipelines(
    bench: type[Bench],
) -> None:
    def poor(pipeline: FakePipeline) -> None:
        pipeline.deliver(1)
        pipeline.queue_overruns, pipeline.source_skipped = 2, 3
        pipeline.on_warning(f"warning {len(bench.made)}")
        if len(bench.made) < 3:
            pipeline.on_end("gone")

    bench.plan = staticmethod(poor)
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(lambda: len(bench.made) == 3 and camera.playing, "the third pipeline")
        status = camera.status()
        assert status["dropped"] == {"source": 9, "queue": 6}
        assert (status["warnings"], status["last_warning"]) == (3, "warning 3")
        camera.request_keyframe()
        assert bench.made[2].keyframes_asked == 1


async def lost_of(dts_ns: list[int]) -> int:
    camera = CameraRunner(SPEC, Tee(), changed=lambda: None)
    for at in dts_ns:
        camera._count_lost(at)
    return camera.lost_at_source


async def test_frames_missing_at_the_source_are_counted() -> None:
    steady = [n * FRAME_NS for n in range(100)]
    assert await lost_of(steady) == 0
    assert await lost_of([*steady[:50], *steady[53:]]) == 3
    assert await lost_of([*steady[:20], *steady[21:60], *steady[62:]]) == 3
    wobbling = [at + (n % 3) * FRAME_NS // 5 for n, at in enumerate(steady)]
    assert await lost_of(wobbling) == 0


async def test_b_frames_without_decode_times_are_not_taken_for_lost_ones() -> None:
    """Reference 3, then pictures 1 and 2 a nanosecond after it, then reference 6, …"""
    clumped = [0]
    for reference in range(3, 900, 3):
        clumped += [reference * FRAME_NS + n for n in range(3)]
    assert await lost_of(clumped) == 0
    assert await lost_of([*clumped[:601], *clumped[604:]]) == 3


async def test_idle_time_loses_no_frames(bench: type[Bench]) -> None:
    def deliver(pipeline: FakePipeline) -> None:
        for frame in frames(50, gop=25, start_ns=time.monotonic_ns()):
            pipeline.frames += 1
            pipeline.last_frame_ns = time.monotonic_ns()
            pipeline.on_frame(frame)

    bench.plan = staticmethod(deliver)
    async with running() as camera:
        for count in (50, 100):
            camera.want(wanted=True)
            await eventually(lambda count=count: camera.frames == count, "frames")  # type: ignore[misc]
            camera.want(wanted=False)
            await eventually(lambda: camera.state == "stopped", "the stop")
            await asyncio.sleep(0.3)
        assert camera.status()["dropped"]["source"] == 0


async def test_a_pause_of_the_worker_is_no_silence_of_its_camera(
    bench: type[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes pass on the clock while nothing of this process runs."""
    passed_ns = [0]

    def clock(*, look_ns: int) -> AwakeClock:
        return AwakeClock(lambda: time.monotonic_ns() + passed_ns[0], look_ns=look_ns)

    monkeypatch.setattr(runner, "AwakeClock", clock)
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(3))
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.status()["last_frame_age_s"] is not None, "a frame")
        passed_ns[0] = 600_000_000_000
        assert camera.status()["last_frame_age_s"] < 10
