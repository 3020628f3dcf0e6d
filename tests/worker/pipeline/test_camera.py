from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gi
import pytest

from support.coded import FRAME_NS, Take, frames
from support.rtsp import camera_in_thread
from touchline.ipc.tee import Frame, Tee
from touchline.ipc.wire import Element, Picture, PipelineSpec, Rtsp
from touchline.worker.awakeclock import AwakeClock
from touchline.worker.pipeline import camera as cameras
from touchline.worker.pipeline.camera import Camera, Wedged, pause_s
from touchline.worker.pipeline.elements import BuildError

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

pytestmark = pytest.mark.anyio

DEADLINE_S = 60.0
ENCODER = Element("x264enc", {"speed-preset": "ultrafast", "tune": "zerolatency"})
SPEC = PipelineSpec(
    kind="test",
    source=(),
    encode=(ENCODER,),
    picture=Picture("Test", 320, 180, 25),
    stall_after_s=0.3,
    start_timeout_s=1.0,
    retry_pause_max_s=0.2,
)


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


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


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> type[Bench]:
    Bench.made, Bench.built = [], []
    Bench.plan = staticmethod(lambda _pipeline: None)
    Bench.stop = staticmethod(lambda _pipeline: None)
    monkeypatch.setattr(cameras, "Pipeline", FakePipeline)
    return Bench


@asynccontextmanager
async def running(spec: PipelineSpec = SPEC, outlet: Take | None = None) -> AsyncIterator[Camera]:
    tee = Tee()
    if outlet is not None:
        tee.hang(outlet, with_gop=False)
    camera = Camera(spec, tee, changed=lambda: None)
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


# ------------------------------------------------------------- with real pictures


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


# ------------------------------------------------------------------ bad cameras


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


async def test_a_camera_that_is_kept_running_runs_without_being_wanted(bench: type[Bench]) -> None:
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(1))
    async with running(replace(SPEC, keep_running=True)) as camera:
        await eventually(lambda: camera.state == "running", "running")
        camera.want(wanted=False)
        assert camera.wanted


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

    monkeypatch.setattr(cameras, "_TEARDOWN_S", 0.1)
    bench.plan = staticmethod(lambda pipeline: pipeline.on_end("the driver hangs"))
    bench.stop = staticmethod(hangs)
    camera = Camera(SPEC, Tee(), changed=lambda: None)
    camera.want(wanted=True)
    try:
        with pytest.raises(Wedged, match="did not stop within"):
            await asyncio.wait_for(camera.run(), DEADLINE_S)
    finally:
        let_go.set()


# --------------------------------------------------------------------- counting


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
    camera = Camera(SPEC, Tee(), changed=lambda: None)
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


# ------------------------------------------------------------- network cameras


def network_camera(url: str, password: str = "right") -> PipelineSpec:
    return replace(
        SPEC,
        kind="rtsp",
        picture=None,
        keep_running=True,
        rtsp=Rtsp(url, "user", password),
        start_timeout_s=10,
    )


async def test_a_wrong_password_is_offered_once_and_again_only_for_a_recording() -> None:
    with camera_in_thread(user="user", password="right", lock_after=5) as server:

        def offered() -> int:
            return sum(e["outcome"] == "wrong" for e in server.ledger.entries("sign_in"))

        async with running(network_camera(server.url, "wrong")) as camera:
            await eventually(lambda: camera.refusals == 1, "the refusal")
            assert offered() == 1
            status = camera.status()
            assert status["state"] == "retrying"
            assert "correct user and password" in status["last_error"]
            assert "the next attempt is in 30 s" in status["last_error"]
            assert 20 < status["retry_in_s"] <= 30
            camera.want(wanted=True)  # somebody looks at the camera's page
            camera.want(wanted=False)
            await asyncio.sleep(1)
            assert offered() == 1
            camera.want(wanted=True, at_once=True)  # somebody starts a recording
            await eventually(lambda: camera.refusals == 2, "the second refusal")
            await asyncio.sleep(0.5)
            assert offered() == 2


async def test_a_camera_that_lets_us_in_again_is_forgiven() -> None:
    with camera_in_thread(refuse="DESCRIBE=453", refuse_times=2) as server:
        async with running(network_camera(server.url)) as camera:
            await eventually(lambda: camera.refusals == 1, "the refusal")
            camera.want(wanted=True, at_once=True)
            await eventually(lambda: camera.playing, "pictures")
            assert camera.status()["retry_in_s"] is None


async def test_idle_time_of_a_network_camera_loses_no_frames() -> None:
    with camera_in_thread(fps=30) as server:
        spec = replace(network_camera(server.url), keep_running=False)
        async with running(spec) as camera:
            for _ in range(2):
                camera.want(wanted=True)
                await eventually(lambda: camera.playing and camera.frames % 64 > 20, "pictures")
                camera.want(wanted=False)
                await eventually(lambda: camera.state == "stopped", "the stop")
                await asyncio.sleep(0.5)
            assert camera.status()["dropped"] == {"source": 0, "queue": 0}


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

    monkeypatch.setattr(cameras, "AwakeClock", clock)
    bench.plan = staticmethod(lambda pipeline: pipeline.deliver(3))
    async with running() as camera:
        camera.want(wanted=True)
        await eventually(lambda: camera.status()["last_frame_age_s"] is not None, "a frame")
        passed_ns[0] = 600_000_000_000
        assert camera.status()["last_frame_age_s"] < 10
