from __future__ import annotations

from pathlib import Path

import pytest

from support.segmentfiles import write_segment
from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import JobQueue
from touchline.capture.processing.removal import Removal
from touchline.core.errors import NotFound, Refused
from touchline.core.tasks import Changed

pytestmark = pytest.mark.anyio


class Full(JobQueue):
    """A queue whose list cannot be written."""

    async def save(self) -> None:
        raise OSError(28, "No space left on device")


def queue_of(tmp_path: Path, kind: type[JobQueue] = JobQueue) -> JobQueue:
    async def never(*_: object) -> object:
        raise AssertionError("no job is worked on")

    return kind(
        tmp_path / "jobs.json",
        prepare=never,  # type: ignore[arg-type]
        finish=never,  # type: ignore[arg-type]
        hold=lambda: False,
        hold_changed=Changed(),
    )


@pytest.fixture
def match(root: Path) -> Path:
    write_segment(root / "derby" / "segments" / "cam0_20260211_220241_00.mp4")
    return root / "derby"


async def test_a_match_goes_with_its_jobs(match: Path, library: Library, tmp_path: Path) -> None:
    jobs = queue_of(tmp_path)
    removal = Removal(library, jobs)
    assert not removal.is_processing("derby")
    await jobs.add("archive", "derby")
    other = await jobs.add("archive", "cup")
    assert removal.is_processing("derby")
    await removal.delete("derby")
    assert not match.exists()
    assert jobs.all() == [other]
    assert not removal.is_processing("derby")


async def test_a_cancelled_job_is_no_processing(library: Library, tmp_path: Path) -> None:
    jobs = queue_of(tmp_path)
    await jobs.cancel((await jobs.add("archive", "derby")).job_id)
    assert not Removal(library, jobs).is_processing("derby")


async def test_a_match_that_may_not_go_keeps_its_jobs(
    match: Path, library: Library, tmp_path: Path
) -> None:
    jobs = queue_of(tmp_path)
    job = await jobs.add("archive", "derby")
    await library.protect("derby", protected=True)
    with pytest.raises(Refused):
        await Removal(library, jobs).delete("derby")
    assert match.exists()
    assert jobs.all() == [job]


async def test_an_unknown_match_is_not_found(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await Removal(library, queue_of(tmp_path)).delete("nothing")


async def test_a_list_of_jobs_that_cannot_be_written_keeps_no_match(
    match: Path, library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = queue_of(tmp_path, Full)
    jobs.put("archive", "derby")
    await Removal(library, jobs).delete("derby")
    assert not match.exists()
    assert "derby" in caplog.text
    assert "No space left" in caplog.text
