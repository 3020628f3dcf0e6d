"""Cameras that stall, end, refuse or hang, and what is tried again."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from support.cameraruns import DEADLINE_S, SPEC, Bench, FakePipeline, eventually, running
from support.coded import Take
from touchline.ipc.tee import Tee
from touchline.worker.camera import runner
from touchline.worker.camera.runner import CameraRunner, Wedged, pause_s
from touchline.worker.pipeline.elements import BuildError

pytestmark = pytest.mark.anyio


async def test_a_stall_is_seen_and_after_a_while_the_camera_is_opened_again(
    bench: type[Bench],
) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(5))
    taken = Take()
    async with running(outlet=taken) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.state == "running", "running")
        await eventually(lambda: camera.state == "stalled", "the stall")
        assert taken.breaks == [], "it may still go on by itself"
        await eventually(lambda: len(bench.made) == 2, "a second pipeline")
        assert bench.made[0].stopped.is_set(), "never two at once"
        await eventually(lambda: camera.state == "running", "running again")
        assert not camera.recovering
    assert "no frame received from the camera for" in taken.breaks[0]


async def test_a_stalled_camera_that_goes_on_by_itself_is_left_alone(bench: type[Bench]) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(5))
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.state == "stalled", "the stall")
        bench.made[0].deliver(1)
        await eventually(lambda: camera.state == "running", "running again")
        assert len(bench.made) == 1


async def test_a_starved_encoder_is_not_a_lost_camera(bench: type[Bench]) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(5))
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.state == "stalled", "no coded frames")

        def pictures_enter_the_encoder() -> bool:
            bench.made[0].last_raw_ns = time.monotonic_ns()
            return time.monotonic_ns() - bench.made[0].last_frame_ns > 2.5e9

        await eventually(pictures_enter_the_encoder, "past the time for opening it again")
        assert len(bench.made) == 1


async def test_a_source_that_ends_is_a_failure_and_opened_again(bench: type[Bench]) -> None:
    def ends(pipeline: FakePipeline) -> None:
        pipeline.deliver(3)
        pipeline.on_end("the source ended")

    bench.plan = staticmethod(ends)
    taken = Take()
    async with running(outlet=taken) as camera:
        camera.want(wanted=True)
        await eventually(lambda: len(bench.made) >= 3, "two new pipelines")
        assert camera.last_error == "the source ended"
        assert camera.last_recovery_unix is not None
    assert set(taken.breaks) == {"the source ended"}


async def test_a_camera_that_delivers_nothing_fails_after_its_time(bench: type[Bench]) -> None:
    async with running(replace(SPEC, start_timeout_s=0.3)) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.attempts >= 1, "an attempt")
        assert "no data received from the camera" in str(camera.last_error)
        assert bench.made[0].stopped.is_set()


async def test_pauses_grow_to_the_limit(bench: type[Bench]) -> None:
    def refuses(_pipeline: FakePipeline) -> None:
        raise BuildError("the cable is unplugged")

    bench.plan = staticmethod(refuses)
    async with running(replace(SPEC, retry_pause_max_s=0.4)) as camera:
        camera.want(wanted=True)
        await eventually(lambda: len(bench.made) >= 5, "five attempts")
    pauses = [b - a for a, b in zip(bench.built, bench.built[1:], strict=False)]
    for found, least in zip(pauses, (0.1, 0.2, 0.4, 0.4), strict=False):
        assert least - 0.01 <= found < least + 0.3
    assert all(pipeline.stopped.is_set() for pipeline in bench.made[:4])


def test_a_camera_may_be_away_for_days() -> None:
    assert [pause_s(n, 1.0) for n in (1, 2, 3, 4, 5, 6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert pause_s(1_000_000, 1.0) == 1.0


async def test_past_the_configured_limit_it_fails_permanently_until_it_is_wanted_again(
    bench: type[Bench],
) -> None:
    def refuses(_pipeline: FakePipeline) -> None:
        raise BuildError("the cable is unplugged")

    bench.plan = staticmethod(refuses)
    async with running(replace(SPEC, retry_limit=2, retry_pause_max_s=0.01)) as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.failed_permanently, "the end of the attempts")
        await eventually(lambda: camera.state == "error", "the state")
        assert len(bench.made) == 3, "the first and two more"
        assert not camera.recovering
        await asyncio.sleep(0.05)
        assert len(bench.made) == 3
        bench.plan = staticmethod(lambda pipeline: pipeline.deliver(1))
        camera.want(wanted=True)
        await eventually(lambda: camera.state == "running", "running")
        assert not camera.status()["failed_permanently"]


async def test_a_camera_that_delivers_in_between_is_tried_for_ever(bench: type[Bench]) -> None:
    def flickers(pipeline: FakePipeline) -> None:
        pipeline.deliver(1)
        pipeline.on_end("gone again")

    bench.plan = staticmethod(flickers)
    async with running(replace(SPEC, retry_limit=1, retry_pause_max_s=0.01)) as camera:
        camera.want(wanted=True)
        await eventually(lambda: len(bench.made) >= 5, "five pipelines")
        assert not camera.failed_permanently


async def test_a_camera_taken_away_while_it_starts_leaves_nothing_running(
    bench: type[Bench],
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_pipeline: FakePipeline) -> None:
        begun.set()
        assert go_on.wait(DEADLINE_S)

    bench.plan = staticmethod(slow)
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(begun.is_set, "the start")
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    assert bench.made[0].stopped.is_set()


async def test_a_pipeline_that_cannot_be_torn_down_is_said_to_be_wedged(
    bench: type[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def hangs(_pipeline: FakePipeline) -> None:
        let_go.wait(DEADLINE_S)

    monkeypatch.setattr(runner, "_TEARDOWN_S", 0.1)
    bench.plan = staticmethod(lambda pipeline: pipeline.on_end("the driver hangs"))
    bench.stop = staticmethod(hangs)
    camera = CameraRunner(SPEC, Tee(), changed=lambda: None)
    camera.want(wanted=True)
    try:
        with pytest.raises(Wedged, match="did not stop within"):
            await asyncio.wait_for(camera.run(), DEADLINE_S)
    finally:
        let_go.set()
