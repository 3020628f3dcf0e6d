from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from support.fakeengines import MemoryEvents
from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import Job
from touchline.capture.processing.results import RECORD, JobResults
from touchline.capture.processing.uploadstates import UPLOADS

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "m1"
    write_segment(folder / "segments" / "cam0_20260211_220241_00.mp4")
    return folder


@pytest.fixture
def results(folder: Path) -> JobResults:
    library = Library(folder.parent, is_running=lambda _: False)
    return JobResults(library, cast("Any", MemoryEvents()))


async def test_what_was_made_is_kept_by_kind(results: JobResults) -> None:
    assert await results.of_match("m1") == {"match_id": "m1", "made": {}, "uploads": {}}
    now = datetime(2026, 2, 11, 19, tzinfo=UTC)
    job = Job(job_id="j", kind="archive", match_id="m1", created_at=now)
    await results.store(job, {"files": ["a.mp4"]})
    await results.store(job.model_copy(update={"kind": "reel"}), {"files": ["reel.mp4"]})
    made = (await results.of_match("m1"))["made"]
    assert made == {"archive": {"files": ["a.mp4"]}, "reel": {"files": ["reel.mp4"]}}


@pytest.mark.parametrize("uploads", [[], 7, {"files": []}, {"files": {"a.mp4": "uploaded"}}])
async def test_what_is_no_record_of_ours_is_left_out_of_what_was_made(
    results: JobResults, folder: Path, uploads: object
) -> None:
    (folder / RECORD).write_text(json.dumps({"reel": 7, "archive": {"files": ["a.mp4"]}}))
    (folder / UPLOADS).write_text(json.dumps(uploads))
    assert await results.of_match("m1") == {
        "match_id": "m1",
        "made": {"archive": {"files": ["a.mp4"]}},
        "uploads": {},
    }
