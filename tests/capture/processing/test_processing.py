from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.libraryservices import idle_services
from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import Job
from touchline.capture.processing.results import RECORD
from touchline.core.errors import NotFound

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


async def test_the_steps_of_a_match_come_in_an_order_that_makes_sense(
    tmp_path: Path, library: Library
) -> None:
    made = idle_services(tmp_path, library)
    jobs = await made.processing.start("m1", ["follow", "panorama", "archive"])
    assert [each.kind for each in jobs] == ["archive", "panorama", "follow"]
    with pytest.raises(NotFound):
        await made.processing.start("nobody", ["archive"])
    status = await made.processing.status("m1")
    assert (status["processing"], status["completed"]) == (True, False)


async def test_an_unprocessed_match_says_so(tmp_path: Path, library: Library) -> None:
    made = idle_services(tmp_path, library)
    assert await made.processing.status("m1") == {
        "processing": False,
        "completed": False,
        "message": "Not processed",
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
    status = await made.processing.status("m1")
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
    status: dict[str, Any] = dict(await made.processing.status("m1"))
    assert status["completed"]
    assert "cam0_00.mkv is no MP4; " in status["message"]
    assert status["message"].endswith("and 12 files more")
