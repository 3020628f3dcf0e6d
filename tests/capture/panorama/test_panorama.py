from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.libraryservices import idle_services
from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.panorama.panorama import ARCHIVE, Panorama
from touchline.capture.processing.jobs import JobQueue
from touchline.core.errors import NotFound, Refused

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 11, 19, tzinfo=UTC)
LENS = {"width": 640, "height": 360}
RESULT: dict[str, Any] = {
    "pair": {"lens0": LENS, "lens1": LENS},
    "quality": {"score": 0.9, "reprojection_error_px": 0.5, "overlap": 0.25},
    "homography_matrix": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "pairs": 10,
}


class Stage:
    """A panorama on a machine without cameras, and its queue of jobs."""

    def __init__(self, folder: Path, library: Library) -> None:
        made = idle_services(folder, library)
        self.panorama: Panorama = made.panorama
        self.queue: JobQueue = made.jobs

    async def calibrate(self) -> None:
        await self.panorama.calibrations.add("cameras", RESULT, NOW)


@pytest.fixture
def stage(tmp_path: Path, library: Library) -> Stage:
    return Stage(tmp_path, library)


@pytest.fixture
def match(root: Path) -> Path:
    for camera in (0, 1):
        write_segment(root / "derby" / "segments" / f"cam{camera}_20260211_220241_00.mp4")
    return root / "derby"


async def test_the_status_tells_of_the_calibration_in_use(stage: Stage) -> None:
    before = stage.panorama.status()
    assert (before["calibrated"], before["quality_score"]) == (False, None)
    assert before["calibration_info"] == {}
    await stage.calibrate()
    after = stage.panorama.status()
    assert (after["calibrated"], after["quality_score"]) == (True, 0.9)
    assert after["calibration_info"]["reprojection_error"] == 0.5
    assert after["calibration_date"] == NOW.isoformat()
    assert stage.panorama.snapshot()["calibration"]["version"] == 1


async def test_the_shared_part_of_the_pictures_is_in_the_configuration(stage: Stage) -> None:
    assert stage.panorama.config()["calibration"]["overlap_region"] is None
    await stage.calibrate()
    found = stage.panorama.config()["calibration"]
    assert found["overlap_region"] == {"start_x": 480, "end_x": 640, "width": 160}
    assert found["homography_cam1_to_cam0"] is not None
    assert found["homography_cam1_to_cam0"][2] == [0.0, 0.0, 1.0]


async def test_settings_are_changed_and_told(stage: Stage) -> None:
    with pytest.raises(Refused) as raised:
        await stage.panorama.configure({})
    assert raised.value.code == "nothing_given"
    assert stage.panorama.config()["output"]["automatic"]
    config = await stage.panorama.configure({"output_width": 1920, "preview_fps_target": 10})
    assert (config["output"]["width"], config["output"]["automatic"]) == (1920, False)
    assert config["performance"]["preview_fps_target"] == 10


async def test_figures_of_the_studio_are_told_under_the_contracts_names(stage: Stage) -> None:
    assert stage.panorama.stats()["stitch_stats"] == {}
    stage.panorama.preview.figures = {
        "frames": 120, "dropped": 3, "fps": 14.5, "avg_stitch_ms": 20.0, "avg_apart_ms": 4.0,
    }  # fmt: skip
    stats = stage.panorama.stats()
    assert (stats["frames_stitched"], stats["current_fps"]) == (120, 14.5)
    assert stats["sync_stats"] == {
        "matched_frames": 120, "dropped_cam0": 3, "dropped_cam1": 3, "avg_time_diff_ms": 4.0,
    }  # fmt: skip
    assert stats["stitch_stats"]["avg_stitch_time_ms"] == 20.0


async def test_a_match_is_processed_as_a_job(stage: Stage, match: Path) -> None:
    assert match.exists()
    await stage.calibrate()
    answer = await stage.panorama.process("derby")
    (job,) = stage.queue.all()
    assert (job.kind, job.match_id, job.job_id) == ("panorama", "derby", answer["job_id"])
    assert (answer["cam0_segments"], answer["cam1_segments"]) == (1, 1)
    assert answer["estimated_duration_minutes"] == 1
    status = await stage.panorama.process_status("derby")
    assert (status["processing"], status["completed"]) == (True, False)
    await stage.queue.cancel(job.job_id)
    status = await stage.panorama.process_status("derby")
    assert (status["processing"], status["completed"]) == (False, False)
    assert status["state"] == "cancelled"


async def test_a_match_needs_a_calibration_and_both_cameras(stage: Stage, match: Path) -> None:
    with pytest.raises(Refused) as raised:
        await stage.panorama.process("derby")
    assert raised.value.code == "not_calibrated"
    await stage.calibrate()
    with pytest.raises(NotFound) as unknown:
        await stage.panorama.process("nothing")
    assert unknown.value.code == "recording_not_found"
    (match / "segments" / "cam1_20260211_220241_00.mp4").unlink()
    with pytest.raises(Refused) as one_camera:
        await stage.panorama.process("derby")
    assert one_camera.value.code == "no_footage"
    assert stage.queue.all() == []


async def test_a_panorama_that_is_there_is_complete_without_a_job(
    stage: Stage, match: Path
) -> None:
    for match_id in ("derby", "nothing"):
        status = await stage.panorama.process_status(match_id)
        assert (status["completed"], status["progress"]) == (False, 0)
    (match / ARCHIVE).write_bytes(b"movie")
    status = await stage.panorama.process_status("derby")
    assert (status["completed"], status["progress"]) == (True, 100)
