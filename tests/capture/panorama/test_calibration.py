from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from support.scriptedlinks import scripted_camera
from touchline.capture.calibrations import read_calibrations
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.library.library import Library
from touchline.capture.panorama import calibration
from touchline.capture.panorama.calibration import (
    FRAMES_NEEDED,
    MOST_FRAMES,
    Calibrating,
    read_captured,
)
from touchline.core.errors import Blocked, Failed, NotFound, Refused, TouchlineError

pytestmark = pytest.mark.anyio

LENS = {"width": 640, "height": 360}
RESULT: dict[str, Any] = {
    "pair": {"lens0": LENS, "lens1": LENS},
    "quality": {"score": 0.9},
    "homography_matrix": [[1.0, 0.0, 0.0]],
    "pairs": 10,
}


class Studio:
    """Captures pairs and works out calibrations at once, or fails."""

    def __init__(self) -> None:
        self.failure: TouchlineError | None = None
        self.work: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, verb: str, spec: Mapping[str, Any], *, log_path: Path) -> Studio:
        del log_path
        self.work.append((verb, spec))
        return self

    async def run(self, hear: Callable[[Mapping[str, Any]], None], *, hurry: bool) -> Any:
        assert hurry
        verb, spec = self.work[-1]
        if verb == "calibrate":
            if self.failure is not None:
                raise self.failure
            return RESULT
        hear({"listening": True})
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        if self.failure is not None:
            raise self.failure
        for name in spec["files"]:
            Path(name).write_bytes(b"PNG")
        return {"apart_ms": 3.0, "sharp": True}


class Stage:
    """A calibration and what is around it."""

    def __init__(self, folder: Path, library: Library, studio: Studio) -> None:
        self.folder, self.library, self.studio = folder, library, studio
        self.lease = CameraLease()
        self.cameras = {number: scripted_camera(number) for number in (0, 1)}

    async def opened(self) -> Calibrating:
        self.calibrations = await read_calibrations(self.folder / "panorama")
        return Calibrating(
            self.calibrations,
            self.cameras,
            self.lease,
            self.library,
            captured=await read_captured(self.calibrations),
            runtime_dir=self.folder,
            log_dir=self.folder,
        )


@pytest.fixture
def stage(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> Stage:
    studio = Studio()
    monkeypatch.setattr(calibration, "StudioRun", studio)
    return Stage(tmp_path, library, studio)


async def test_captured_pairs_become_the_calibration_in_use(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    ready = [(await calibrating.capture())["ready_to_calculate"] for _ in range(FRAMES_NEEDED)]
    assert ready == [False] * (FRAMES_NEEDED - 1) + [True]
    manual = [{"cam0": [1.0, 2.0], "cam1": [3.0, 4.0]}]
    made = await calibrating.complete(manual)
    assert (made.source, made.manual[0].cam1) == ("cameras", (3.0, 4.0))
    verb, spec = stage.studio.work[-1]
    assert verb == "calibrate"
    assert len(spec["pairs"]) == FRAMES_NEEDED
    assert all(Path(path).exists() for pair in spec["pairs"] for path in pair)
    status = calibrating.status()
    assert (status["is_calibrating"], status["calibrated"]) == (False, True)
    assert status["version"] == made.version


async def test_cameras_are_held_and_fed_for_a_capture_only(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    await calibrating.capture()
    assert stage.lease.mode == "idle"
    assert [c.link.asked for c in stage.cameras.values()] == [["feed", "unfeed"]] * 2
    with stage.lease.hold("recording", "derby"), pytest.raises(Blocked) as raised:
        await calibrating.capture()
    assert raised.value.code == "cameras_taken"
    assert calibrating.status()["frames_captured"] == 1


async def test_a_capture_that_fails_counts_for_nothing(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    stage.studio.failure = Failed("no pair came", code="no_pair")
    stage.cameras[1].link.answers["feed"] = Blocked("gone", code="worker_gone")
    with pytest.raises(Failed):
        await calibrating.capture()
    assert calibrating.status()["frames_captured"] == 0
    assert stage.lease.mode == "idle"
    assert stage.cameras[0].link.asked == ["feed", "unfeed"]


async def test_a_machine_with_one_camera_cannot_be_calibrated(stage: Stage) -> None:
    del stage.cameras[1]
    calibrating = await stage.opened()
    await calibrating.start()
    with pytest.raises(Failed) as raised:
        await calibrating.capture()
    assert raised.value.code == "no_two_cameras"


async def test_each_step_needs_the_one_before(stage: Stage) -> None:
    calibrating = await stage.opened()
    for step in (calibrating.capture, calibrating.complete):
        with pytest.raises(Refused) as raised:
            await step()
        assert raised.value.code == "not_started"
    await calibrating.start()
    await calibrating.capture()
    with pytest.raises(Refused) as too_few:
        await calibrating.complete()
    assert too_few.value.code == "too_few_frames"
    await calibrating.complete(least=1)


@pytest.mark.parametrize("mode", ["preview", "recording"])
async def test_it_is_refused_while_the_cameras_are_used(stage: Stage, mode: Any) -> None:
    calibrating = await stage.opened()
    with stage.lease.hold(mode, "somebody"), pytest.raises(Refused) as raised:
        await calibrating.start()
    assert raised.value.code == "calibration_refused"
    assert not calibrating.status()["is_calibrating"]


async def test_pairs_survive_a_restart_and_half_of_one_is_none(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    for _ in range(3):
        await calibrating.capture()
    capturing = stage.calibrations.folder / "capturing"
    (capturing / "002-cam1.png").unlink()
    (capturing / "notes.txt").touch()
    again = await stage.opened()
    assert again.status()["is_calibrating"]
    assert again.status()["frames_captured"] == 2
    await again.capture()
    assert (capturing / "004-cam0.png").exists()
    await again.reset()
    assert [path.name for path in capturing.iterdir()] == ["notes.txt"]
    assert not again.status()["is_calibrating"]


async def test_there_is_an_end_to_pairs(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    capturing = stage.calibrations.folder / "capturing"
    for number in range(1, MOST_FRAMES + 1):
        for camera in (0, 1):
            (capturing / f"{number:03d}-cam{camera}.png").touch()
    with pytest.raises(Refused) as raised:
        await (await stage.opened()).capture()
    assert raised.value.code == "enough"


async def test_a_failure_leaves_the_pairs_for_another_attempt(stage: Stage) -> None:
    calibrating = await stage.opened()
    await calibrating.start()
    await calibrating.capture()
    stage.studio.failure = Failed("too dark", code="too_dark")
    with pytest.raises(Failed):
        await calibrating.complete(least=1)
    assert calibrating.status()["is_calibrating"]
    stage.studio.failure = None
    assert (await calibrating.complete(least=1)).version == 1


async def test_a_recorded_match_will_do_as_well(stage: Stage, root: Path) -> None:
    (root / "derby" / "segments").mkdir(parents=True)
    calibrating = await stage.opened()
    made = await calibrating.from_match("derby", instants=12)
    assert made.source == "derby"
    assert stage.studio.work == [
        ("calibrate", {"folder": str(root / "derby"), "instants": 12, "manual": []})
    ]
    with pytest.raises(NotFound):
        await calibrating.from_match("nothing", instants=12)
