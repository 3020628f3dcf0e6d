from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from touchline.capture.processing import jobs as jobqueue
from touchline.capture.processing.jobs import Job, JobQueue, read_jobs
from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Blocked, Failed, NotFound, Refused
from touchline.core.tasks import Changed

pytestmark = pytest.mark.anyio

WITHIN_S = 10.0


class PlayedRun:
    """A piece of work that ends when it is told to."""

    def __init__(self) -> None:
        self.paused = False
        self.cancelled = False
        self.tell: Callable[[Mapping[str, Any]], None] = lambda _: None
        self.began = anyio.Event()
        self._end = anyio.Event()
        self._outcome: dict[str, Any] | Exception = {}

    def end(self, outcome: dict[str, Any] | Exception) -> None:
        self._outcome = outcome
        self._end.set()

    def pause(self, *, paused: bool) -> None:
        self.paused = paused

    async def run(self, tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
        self.tell = tell
        self.began.set()
        try:
            await self._end.wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


class Rig:
    def __init__(self, path: Path, jobs: Sequence[Job]) -> None:
        self.runs: list[PlayedRun] = []
        self.finished: list[tuple[str, Mapping[str, Any]]] = []
        self.held = False
        self.hold_changed = Changed()
        self.refuses: Exception | None = None
        self.queue = JobQueue(
            path,
            prepare=self._prepare,
            finish=self._finish,
            hold=lambda: self.held,
            hold_changed=self.hold_changed,
            jobs=jobs,
        )

    async def _prepare(self, job: Job) -> StudioRun:
        del job
        if self.refuses is not None:
            raise self.refuses
        self.runs.append(PlayedRun())
        return cast("StudioRun", self.runs[-1])

    async def _finish(self, job: Job, result: Mapping[str, Any]) -> None:
        self.finished.append((job.job_id, result))

    def hold(self, *, held: bool) -> None:
        self.held = held
        self.hold_changed.mark()

    async def began(self, number: int) -> PlayedRun:
        with anyio.fail_after(WITHIN_S):
            while len(self.runs) <= number:
                await anyio.sleep(0.01)
            await self.runs[number].began.wait()
        return self.runs[number]

    async def until(self, job_id: str, state: str) -> Job:
        with anyio.fail_after(WITHIN_S):
            while self.queue.get(job_id).state != state:
                await anyio.sleep(0.01)
        return self.queue.get(job_id)


@asynccontextmanager
async def working(path: Path) -> AsyncIterator[Rig]:
    rig = Rig(path, await read_jobs(path))

    async def work() -> None:
        while True:
            await rig.queue.once()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        tasks.start_soon(rig.queue.watch_hold)
        yield rig
        tasks.cancel_scope.cancel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.json"


async def test_jobs_are_done_one_after_the_other_and_tell_how_far_they_are(path: Path) -> None:
    async with working(path) as rig:
        first = await rig.queue.add("archive", "m1")
        second = await rig.queue.add("panorama", "m1", calibration_version=3)
        run = await rig.began(0)
        run.tell({"done": 0, "total": 200})
        await anyio.sleep(0.02)
        run.tell({"done": 50, "total": 200, "text": "so far"})
        job = rig.queue.get(first.job_id)
        assert (job.state, job.progress, job.total) == ("running", 0.25, 200)
        assert job.eta_s is not None
        assert job.log == ("so far",)
        assert rig.queue.get(second.job_id).state == "waiting"
        run.end({"file": "a.mp4"})
        done = await rig.until(first.job_id, "done")
        assert (done.progress, done.result) == (1.0, {"file": "a.mp4"})
        (await rig.began(1)).end({})
        await rig.until(second.job_id, "done")
        assert [job_id for job_id, _ in rig.finished] == [first.job_id, second.job_id]


async def test_the_same_job_is_not_added_twice(path: Path) -> None:
    async with working(path) as rig:
        first = await rig.queue.add("archive", "m1")
        assert (await rig.queue.add("archive", "m1")).job_id == first.job_id
        (await rig.began(0)).end({})
        await rig.until(first.job_id, "done")
        assert (await rig.queue.add("archive", "m1")).job_id != first.job_id


async def test_a_queue_that_is_full_says_when_to_come_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobqueue, "MOST_WAITING", 2)
    async with working(path) as rig:
        for match_id in ("one", "two"):
            await rig.queue.add("archive", match_id)
        with pytest.raises(Blocked) as refusal:
            await rig.queue.add("archive", "three")
        assert refusal.value.code == "too_many_jobs"
        assert refusal.value.eta_s
        assert [job.match_id for job in rig.queue.all()] == ["one", "two"]


async def test_a_failed_job_says_why_and_can_be_repeated(path: Path) -> None:
    async with working(path) as rig:
        job = await rig.queue.add("panorama", "m1")
        fault = Failed("The disk is full", code="disk_full", advice="Free some space.")
        (await rig.began(0)).end(fault)
        failed = await rig.until(job.job_id, "failed")
        assert failed.error is not None
        assert (failed.error.code, failed.error.advice) == ("disk_full", "Free some space.")
        await rig.queue.retry(job.job_id)
        (await rig.began(1)).end({})
        assert (await rig.until(job.job_id, "done")).attempts == 2
        with pytest.raises(Refused):
            await rig.queue.retry(job.job_id)


async def test_what_nobody_expected_fails_the_job_and_not_the_queue(path: Path) -> None:
    async with working(path) as rig:
        first = await rig.queue.add("archive", "m1")
        (await rig.began(0)).end(ValueError("odd"))
        failed = await rig.until(first.job_id, "failed")
        assert failed.error is not None
        assert failed.error.code == "internal"
        second = await rig.queue.add("archive", "m2")
        (await rig.began(1)).end({})
        await rig.until(second.job_id, "done")


async def test_what_cannot_be_prepared_has_failed(path: Path) -> None:
    async with working(path) as rig:
        rig.refuses = NotFound("Recording m1 not found")
        job = await rig.queue.add("archive", "m1")
        assert (await rig.until(job.job_id, "failed")).error is not None


async def test_a_running_job_is_cancelled_and_the_next_one_begins(path: Path) -> None:
    async with working(path) as rig:
        first = await rig.queue.add("archive", "m1")
        second = await rig.queue.add("archive", "m2")
        run = await rig.began(0)
        await rig.queue.cancel(first.job_id)
        (await rig.began(1)).end({})
        await rig.until(second.job_id, "done")
        assert run.cancelled
        assert rig.queue.get(first.job_id).state == "cancelled"
        with pytest.raises(Refused):
            await rig.queue.cancel(first.job_id)


async def test_a_waiting_job_is_cancelled_without_ever_running(path: Path) -> None:
    async with working(path) as rig:
        rig.hold(held=True)
        job = await rig.queue.add("archive", "m1")
        await rig.queue.cancel(job.job_id)
        rig.hold(held=False)
        await anyio.sleep(0.1)
        assert rig.runs == []


async def test_nothing_is_worked_on_while_a_match_is_recorded(path: Path) -> None:
    async with working(path) as rig:
        job = await rig.queue.add("archive", "m1")
        run = await rig.began(0)
        rig.hold(held=True)
        await rig.until(job.job_id, "paused")
        paused = [run.paused]
        rig.hold(held=False)
        await rig.until(job.job_id, "running")
        assert [*paused, run.paused] == [True, False]
        run.end({})
        await rig.until(job.job_id, "done")
        rig.hold(held=True)
        await rig.queue.add("archive", "m2")
        await anyio.sleep(0.1)
        assert len(rig.runs) == 1


async def test_what_a_server_left_running_is_taken_up_by_the_next(path: Path) -> None:
    async with working(path) as rig:
        job = await rig.queue.add("panorama", "m1", calibration_version=1)
        await rig.began(0)
    async with working(path) as rig:
        (await rig.began(0)).end({})
        done = await rig.until(job.job_id, "done")
        assert (done.params, done.attempts) == ({"calibration_version": 1}, 2)


async def test_a_damaged_queue_is_put_aside(path: Path) -> None:
    path.write_text("{not json")
    async with working(path) as rig:
        assert rig.queue.all() == []
    assert path.with_suffix(".damaged").read_text() == "{not json"


async def test_with_a_match_its_jobs_go(path: Path) -> None:
    async with working(path) as rig:
        await rig.queue.add("archive", "m1")
        await rig.queue.add("sprites", "m1")
        kept = await rig.queue.add("archive", "m2")
        run = await rig.began(0)
        await rig.queue.drop_match("m1")
        (await rig.began(1)).end({})
        await rig.until(kept.job_id, "done")
        assert run.cancelled
        assert [job.match_id for job in rig.queue.all()] == ["m2"]


async def test_a_job_that_is_over_can_be_forgotten_and_no_other(path: Path) -> None:
    async with working(path) as rig:
        job = await rig.queue.add("archive", "m1")
        run = await rig.began(0)
        with pytest.raises(Refused):
            await rig.queue.remove(job.job_id)
        run.end({})
        await rig.until(job.job_id, "done")
        await rig.queue.remove(job.job_id)
        with pytest.raises(NotFound):
            rig.queue.get(job.job_id)
