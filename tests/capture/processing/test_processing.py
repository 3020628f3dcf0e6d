from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.libraryservices import idle_services
from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import Job
from touchline.capture.processing.processing import RECORD, UPLOADS, Processing
from touchline.core.errors import Blocked, NotFound, Refused

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 11, 19, tzinfo=UTC)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    root = tmp_path / "recordings"
    write_segment(root / "m1" / "segments" / "cam0_20260211_220241_00.mp4")
    return Library(root, is_running=lambda match_id: match_id == "now")


def job(kind: str, match_id: str = "m1", **params: Any) -> Job:
    return Job.model_validate(
        {"job_id": "j", "kind": kind, "match_id": match_id, "params": params, "created_at": NOW}
    )


async def test_without_a_calibration_both_views_are_put_side_by_side(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    run = await made.processing.prepare(job("panorama", calibration_version=None))
    assert run._spec.get("calibration") is None
    with pytest.raises(NotFound):
        await made.processing.prepare(job("panorama", calibration_version=4))


async def test_the_archive_step_makes_one_of_every_camera_of_the_match(
    tmp_path: Path, library: Library
) -> None:
    segments = tmp_path / "recordings" / "m1" / "segments"
    for camera in (2, 11):
        write_segment(segments / f"cam{camera}_20260211_220241_00.mp4")
    made = idle_services(tmp_path, library)
    run = await made.processing.prepare(job("archive"))
    assert run._spec["cameras"] == ["cam0", "cam2", "cam11"]
    archives = await library.made_archives("m1")
    assert list(archives) == ["cam0", "cam1", "cam2", "cam11", "panorama", "follow"]


async def test_what_would_leave_no_room_for_the_next_match_is_not_begun(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)

    def with_free(free: int) -> Processing:
        async def free_bytes() -> int:
            return free

        made.processing._free_bytes = _as_call(free_bytes)
        return made.processing

    with pytest.raises(Blocked) as caught:
        await with_free((1 << 30) + 10).prepare(job("archive"))
    assert caught.value.code == "disk_low"
    await with_free(2 << 30).prepare(job("archive"))
    await with_free(0).prepare(job("sprites"))


def _as_call(call: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    return call


async def test_the_steps_of_a_match_come_in_an_order_that_makes_sense(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    jobs = await made.processing.start(made.jobs, "m1", ["follow", "panorama", "archive"])
    assert [each.kind for each in jobs] == ["archive", "panorama", "follow"]
    with pytest.raises(NotFound):
        await made.processing.start(made.jobs, "nobody", ["archive"])
    status = await made.processing.status(made.jobs, "m1")
    assert (status["processing"], status["completed"]) == (True, False)


async def test_a_reel_needs_markers_and_an_upload_a_storage(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    reel = job("reel", camera="cam0", before_s=5.0, after_s=2.0, kinds=["goal"])
    with pytest.raises(Refused, match="no markers"):
        await made.processing.prepare(reel)
    await made.markers.add("m1", at_s=10.0, seconds_ago=0.0, kind="corner")
    with pytest.raises(Refused, match="no markers"):
        await made.processing.prepare(reel)
    await made.markers.add("m1", at_s=20.0, seconds_ago=0.0, kind="goal")
    assert len((await made.processing.prepare(reel))._spec["stretches"]) == 1
    with pytest.raises(Refused, match="No storage"):
        await made.processing.prepare(job("upload"))


async def test_an_unprocessed_match_says_so_and_what_was_made_is_kept(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    assert await made.processing.status(made.jobs, "m1") == {
        "processing": False,
        "completed": False,
        "message": "Not processed",
    }
    assert await made.processing.record("m1") == {"match_id": "m1", "made": {}, "uploads": {}}


@pytest.mark.parametrize("uploads", [[], 7, {"files": []}, {"files": {"a.mp4": "uploaded"}}])
async def test_what_is_no_record_of_ours_is_left_out_of_what_was_made(
    tmp_path: Path, library: Library, uploads: object
) -> None:
    made = idle_services(tmp_path, library)
    folder = tmp_path / "recordings" / "m1"
    (folder / RECORD).write_text(json.dumps({"reel": 7, "archive": {"files": ["a.mp4"]}}))
    (folder / UPLOADS).write_text(json.dumps(uploads))
    assert await made.processing.record("m1") == {
        "match_id": "m1",
        "made": {"archive": {"files": ["a.mp4"]}},
        "uploads": {},
    }


async def test_files_that_are_in_nothing_that_was_made_are_named_in_the_status(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    left_out = {"cam0_01.mkv": "cam0_01.mkv is no MP4"}
    for kind in ("archive", "sprites"):
        done = job(kind).model_copy(
            update={"job_id": kind, "state": "done", "result": {"left_out": left_out}}
        )
        made.jobs._jobs[kind] = done
    status = await made.processing.status(made.jobs, "m1")
    assert status["completed"]
    assert status["message"] == (
        "Processing complete, but files were left out: cam0_01.mkv is no MP4"
    )


async def test_they_are_named_when_the_jobs_have_been_forgotten(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    folder = tmp_path / "recordings" / "m1"
    write_segment(folder / "cam0_archive.mp4")
    refused = {f"cam0_{n:02d}.mkv": f"cam0_{n:02d}.mkv is no MP4" for n in range(20)}
    (folder / RECORD).write_text(json.dumps({"archive": {"left_out": refused}, "reel": 7}))
    status: dict[str, Any] = dict(await made.processing.status(made.jobs, "m1"))
    assert status["completed"]
    assert "cam0_00.mkv is no MP4; " in status["message"]
    assert status["message"].endswith("and 12 files more")
