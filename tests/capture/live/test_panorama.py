from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from support.scriptedlinks import ScriptedLive, scripted_camera
from support.supervised import supervised_tasks
from touchline.capture.calibrations import Calibrations, read_calibrations
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live import panorama
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings
from touchline.core.errors import Blocked, Failed, Refused, TouchlineError
from touchline.core.supervision import Tasks

pytestmark = pytest.mark.anyio

FIGURES = {"width": 3840, "height": 1315, "fps": 15.0}


class Studio:
    """Stitches until it is ended, or fails at once."""

    def __init__(self) -> None:
        self.failure: TouchlineError | None = None

    def __call__(self, verb: str, spec: Mapping[str, Any], *, log_path: Path) -> Studio:
        del spec, log_path
        assert verb == "live"
        return self

    async def run(self, hear: Callable[[Mapping[str, Any]], None], *, hurry: bool) -> Any:
        assert hurry
        if self.failure is not None:
            raise self.failure
        hear({"listening": True})
        await anyio.lowlevel.checkpoint()
        hear(FIGURES)
        await anyio.sleep_forever()


class Stage:
    """A panorama's preview and what is around it."""

    def __init__(
        self, folder: Path, studio: Studio, calibrations: Calibrations, tasks: Tasks
    ) -> None:
        self.studio = studio
        self.lease = CameraLease()
        self.live = ScriptedLive(wait_up={"up": True})
        self.cameras = {number: scripted_camera(number) for number in (0, 1)}
        self.calibrations = calibrations
        self.preview = PanoramaPreview(
            PreviewSettings(),
            self.calibrations,
            self.cameras,
            self.lease,
            cast("LiveLink", self.live),
            tasks=tasks,
            runtime_dir=folder,
            log_dir=folder,
        )

    def shown(self) -> bool:
        return self.preview.active

    async def calibrate(self) -> None:
        lens = {"width": 640, "height": 360}
        result = {
            "pair": {"lens0": lens, "lens1": lens},
            "quality": {"score": 0.9},
            "homography_matrix": [[1.0, 0.0, 0.0]],
            "pairs": 10,
        }
        await self.calibrations.add("cameras", result, datetime(2026, 2, 11, tzinfo=UTC))


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    studio = Studio()
    monkeypatch.setattr(panorama, "StudioRun", studio)
    async with supervised_tasks() as tasks:
        made = Stage(tmp_path, studio, await read_calibrations(tmp_path), tasks)
        await made.calibrate()
        yield made


async def test_it_is_shown_with_its_first_picture_and_taken_down(stage: Stage) -> None:
    answer = await stage.preview.start(None)
    assert (answer["transport"], answer["resolution"]) == ("hls", "3840x1315")
    assert (stage.lease.mode, stage.preview.shows_hls()) == ("preview", True)
    assert stage.live.asked == ["wait_up", "hls_start"]
    await stage.preview.stop()
    assert (stage.lease.mode, stage.shown()) == ("idle", False)
    assert [c.link.asked for c in stage.cameras.values()] == [["feed", "unfeed"]] * 2
    assert stage.live.asked[-1] == "hide"
    assert stage.preview.figures == {}
    assert not stage.preview.shows_hls()


@pytest.mark.parametrize(
    ("transport", "shown"), [(None, "hls"), ("hls", "hls"), (" WebRTC ", "webrtc"), ("?", "hls")]
)
async def test_the_transport_is_as_asked_for(
    stage: Stage, transport: str | None, shown: str
) -> None:
    await stage.preview.start(transport)
    assert stage.preview.status()["transport"] == shown
    assert ("hls_start" in stage.live.asked) == (shown == "hls")
    with pytest.raises(Refused) as raised:
        await stage.preview.start(transport)
    assert raised.value.code == "panorama_active"
    await stage.preview.stop()


async def test_it_is_refused_without_a_calibration_and_while_a_match_is_recorded(
    stage: Stage,
) -> None:
    with stage.lease.hold("recording", "derby"), pytest.raises(Refused) as refused:
        await stage.preview.start(None)
    assert refused.value.code == "recording_active"
    await stage.calibrations.clear()
    with pytest.raises(Blocked) as blocked:
        await stage.preview.start(None)
    assert blocked.value.code == "panorama_not_calibrated"
    with pytest.raises(Refused) as inactive:
        await stage.preview.stop()
    assert inactive.value.code == "panorama_inactive"


def worker_gone(stage: Stage) -> None:
    gone = Blocked("The worker of cam1 is not running.", code="worker_gone")
    stage.cameras[1].link.answers["feed"] = gone


def no_picture(stage: Stage) -> None:
    stage.live.answers["wait_up"] = {"up": False}


def no_playlist(stage: Stage) -> None:
    stage.live.answers["hls_start"] = Failed("no", code="no")


def no_studio(stage: Stage) -> None:
    stage.studio.failure = Failed("no", code="no")


def no_second_camera(stage: Stage) -> None:
    del stage.cameras[1]


@pytest.mark.parametrize(
    "break_it", [worker_gone, no_picture, no_playlist, no_studio, no_second_camera]
)
async def test_whatever_fails_nothing_stays_half_shown(
    stage: Stage, break_it: Callable[[Stage], None]
) -> None:
    break_it(stage)
    with pytest.raises(Blocked) as raised:
        await stage.preview.start(None)
    assert raised.value.code == "panorama_failed"
    assert (stage.lease.mode, stage.shown()) == ("idle", False)
    assert stage.live.asked[-1] == "hide"
    assert stage.cameras[0].link.asked[-1] == "unfeed"


async def test_it_is_shown_while_somebody_watches(stage: Stage) -> None:
    await stage.preview.join("anna")
    await stage.preview.join("bert")
    await stage.preview.leave("anna")
    await stage.preview.leave("a stranger")
    assert stage.shown()
    await stage.preview.leave("bert")
    assert not stage.shown()


async def test_viewers_of_one_that_was_started_do_not_end_it(stage: Stage) -> None:
    await stage.preview.start("hls")
    await stage.preview.join("anna")
    await stage.preview.leave("anna")
    assert stage.shown()
    await stage.lease.make_way()  # a recording wants the cameras
    assert not stage.shown()
    assert stage.lease.mode == "idle"


async def test_it_ends_with_the_live_process(stage: Stage) -> None:
    await stage.preview.start(None)
    stage.live.connected = False
    stage.live.tell("lost")
    with anyio.fail_after(5):
        while stage.shown():
            await stage.preview.changed.wait(stage.preview.changed.version)
    assert "hide" not in stage.live.asked


async def test_a_new_worker_is_told_to_feed_again(stage: Stage) -> None:
    camera = stage.cameras[0]
    await stage.preview.camera_connected(camera)
    assert camera.link.asked == []
    await stage.preview.start(None)
    await stage.preview.camera_connected(camera)
    await stage.preview.camera_connected(scripted_camera(7, feed=Failed("no", code="no")))
    assert camera.link.asked == ["feed", "feed"]
    await stage.preview.stop()
