"""Queue of the processing jobs that follow a recording, run one at a time.

The queue is a file: a job survives the server, resumes where it was, and can be retried when it
failed. While a match is recorded no job runs.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from touchline.capture.jobkinds.kinds import JobKindName
from touchline.capture.library.wholefile import write_whole
from touchline.capture.processing.answers import JobFault, JobState, JobStateWord
from touchline.capture.programs.studio import OnProgress, StudioRun
from touchline.core.errors import Blocked, NotFound, Refused, TouchlineError
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

KEPT_JOBS = 500
MOST_WAITING = 500
LOG_LINES = 40
_OVER = frozenset({"done", "failed", "cancelled"})


class JobError(BaseModel):
    """Reason why a job failed: a stable code, a message, and the remedy."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    advice: str = ""

    def to_json(self) -> JobFault:
        """Return the reason as it is published."""
        return {"code": self.code, "message": self.message, "advice": self.advice}


class Job(BaseModel):
    """Post-processing job. `progress` is 0 to 1; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: str
    kind: JobKindName
    match_id: str
    params: Mapping[str, Any] = Field(default_factory=dict)
    state: JobStateWord = "waiting"
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    progress: float = 0.0
    eta_s: float | None = None
    total: int | None = None
    error: JobError | None = None
    result: Mapping[str, Any] | None = None
    log: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the job has reached a final state."""
        return self.state in _OVER

    def to_json(self) -> JobState:
        """Return the job as it is published."""
        return {
            "job_id": self.job_id,
            "kind": self.kind,
            "match_id": self.match_id,
            "params": dict(self.params),
            "state": self.state,
            "created_at": _rfc3339(self.created_at),
            "started_at": None if self.started_at is None else _rfc3339(self.started_at),
            "ended_at": None if self.ended_at is None else _rfc3339(self.ended_at),
            "attempts": self.attempts,
            "progress": self.progress,
            "eta_s": self.eta_s,
            "total": self.total,
            "error": None if self.error is None else self.error.to_json(),
            "result": None if self.result is None else dict(self.result),
            "log": list(self.log),
        }


class _File(BaseModel):
    format_version: int = 1
    jobs: tuple[Job, ...] = ()


Prepare = Callable[[Job], Awaitable[StudioRun]]
Finish = Callable[[Job, Mapping[str, Any]], Awaitable[None]]


class JobQueue:
    """Job queue, oldest first.

    `prepare` creates the run of a job and raises TouchlineError if it cannot be done; `finish`
    stores its result. `hold` returns whether no job may run at the moment.
    """

    def __init__(
        self,
        path: Path,
        *,
        prepare: Prepare,
        finish: Finish,
        hold: Callable[[], bool],
        hold_changed: Changed,
        jobs: Iterable[Job] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.changed = Changed()
        self._path = path
        self._prepare, self._finish = prepare, finish
        self._hold, self._hold_changed = hold, hold_changed
        self._now = now
        self._jobs = {job.job_id: job for job in jobs}
        self._news = Changed()
        self._running: tuple[str, StudioRun, anyio.CancelScope] | None = None
        self._saving = anyio.Lock()

    # ---------------------------------------------------------------- queries

    def all(self) -> list[Job]:
        """Return every job, the oldest first."""
        return list(self._jobs.values())

    def of_match(self, match_id: str) -> list[Job]:
        """Return a match's jobs, the oldest first."""
        return [job for job in self._jobs.values() if job.match_id == match_id]

    def newest(self, match_id: str, kind: JobKindName) -> Job | None:
        """Return the latest job of that kind for a match."""
        return next((j for j in reversed(self.of_match(match_id)) if j.kind == kind), None)

    def get(self, job_id: str) -> Job:
        """Return the job with this id. Raises NotFound."""
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"Job {job_id} not found", code="job_not_found")
        return job

    # ------------------------------------------------------------------ changes

    async def add(self, kind: JobKindName, match_id: str, **params: Any) -> Job:
        """Add a job and save the queue, or return the same job if it is already queued.

        Raises Blocked if too many wait.
        """
        if sum(not job.is_over for job in self._jobs.values()) >= MOST_WAITING:
            text = (
                f"{MOST_WAITING} jobs are already queued. Wait until some have finished, or"
                " cancel them."
            )
            raise Blocked(text, code="too_many_jobs", eta_s=60.0)
        job = self.put(kind, match_id, **params)
        await self.save()
        return job

    def put(self, kind: JobKindName, match_id: str, **params: Any) -> Job:
        """Add a job without saving; `save` must follow."""
        for job in self.of_match(match_id):
            if job.kind == kind and job.params == params and not job.is_over:
                return job
        job = Job(
            job_id=secrets.token_hex(8),
            kind=kind,
            match_id=match_id,
            params=params,
            created_at=self._now(),
        )
        self._put(job)
        self._forget_old()
        self._news.mark()
        return job

    async def retry(self, job_id: str) -> Job:
        """Run a job again.

        Raises Refused for one that waits, runs or is done.
        """
        job = self.get(job_id)
        if job.state not in {"failed", "cancelled"}:
            raise Refused(
                f"Job {job_id} is {job.state}; only failed or cancelled jobs can be repeated"
            )
        again = job.model_copy(
            update={
                "state": "waiting",
                "error": None,
                "ended_at": None,
                "progress": 0.0,
                "eta_s": None,
            }
        )
        del self._jobs[job_id]  # moves it to the end of the queue
        self._put(again)
        await self.save()
        self._news.mark()
        return again

    async def cancel(self, job_id: str) -> Job:
        """Cancel a job; completed work is kept, and a retry continues from there."""
        job = self.get(job_id)
        if job.is_over:
            raise Refused(f"Job {job_id} is already {job.state}")
        over = job.model_copy(update={"state": "cancelled", "ended_at": self._now(), "eta_s": None})
        self._put(over)
        if self._running is not None and self._running[0] == job_id:
            self._running[2].cancel()
        await self.save()
        return over

    async def remove(self, job_id: str) -> None:
        """Delete a finished job from the list. Its results are kept."""
        if not self.get(job_id).is_over:
            raise Refused(f"Job {job_id} is not finished; cancel it first")
        del self._jobs[job_id]
        self.changed.mark()
        await self.save()

    async def drop_match(self, match_id: str) -> None:
        """Remove all jobs of a deleted match. Raises OSError."""
        if not self.of_match(match_id):
            return
        for job in self.of_match(match_id):
            if not job.is_over:
                await self.cancel(job.job_id)
            del self._jobs[job.job_id]
        self.changed.mark()
        await self.save()

    # ----------------------------------------------------------------- processing

    async def once(self) -> None:
        """Wait for a job that may run, and run it."""
        job = await self._next()
        await self._work_on(job)

    async def watch_hold(self) -> None:
        """Pause and resume the running job, as a recording begins and ends.

        Runs until cancelled.
        """
        seen = -1
        while True:
            seen = await self._hold_changed.wait(seen)
            self._apply_hold()

    def _apply_hold(self) -> None:
        if self._running is None:
            return
        job_id, run, _ = self._running
        held = self._hold()
        run.pause(paused=held)
        job = self._jobs.get(job_id)
        state: JobStateWord = "paused" if held else "running"
        if job is not None and not job.is_over and job.state != state:
            self._put(job.model_copy(update={"state": state}))

    async def _next(self) -> Job:
        while True:
            seen, hold_seen = self._news.version, self._hold_changed.version
            if self._hold():
                await self._hold_changed.wait(hold_seen)
                continue
            waiting = next((j for j in self._jobs.values() if j.state == "waiting"), None)
            if waiting is not None:
                return waiting
            await self._news.wait(seen)

    async def _work_on(self, job: Job) -> None:
        job = job.model_copy(
            update={
                "state": "running",
                "started_at": self._now(),
                "attempts": job.attempts + 1,
                "log": (),
            }
        )
        self._put(job)
        await self.save()
        with anyio.CancelScope() as scope:
            try:
                run = await self._prepare(job)
                if self.get(job.job_id).is_over:  # cancelled meanwhile
                    return
                self._running = (job.job_id, run, scope)
                self._apply_hold()
                result = await run.run(self._follower(job.job_id))
                await self._finish(job, result)
            except TouchlineError as error:
                advice = str(error.details.get("advice") or "")
                fault = JobError(code=error.code, message=error.message, advice=advice)
                log.warning("%s of %s failed: %s", job.kind, job.match_id, error.message)
                self._finish_job(job.job_id, "failed", error=fault)
            except OSError as error:
                fault = JobError(code="disk_failed", message=str(error))
                self._finish_job(job.job_id, "failed", error=fault)
            except Exception as error:
                log.exception("%s of %s failed", job.kind, job.match_id)
                fault = JobError(code="internal", message=f"{type(error).__name__}: {error}")
                self._finish_job(job.job_id, "failed", error=fault)
            else:
                self._finish_job(job.job_id, "done", result=result, progress=1.0)
            finally:
                self._running = None
        await self.save()

    def _follower(self, job_id: str) -> OnProgress:
        began_s = time.monotonic()
        began_at: float | None = None

        def follow(news: Mapping[str, Any]) -> None:
            nonlocal began_at
            job = self._jobs.get(job_id)
            if job is None or job.is_over:
                return
            done, total = float(news.get("done", 0)), float(news.get("total", 0) or 0)
            update: dict[str, Any] = {}
            if total > 0:
                if began_at is None:
                    began_at = done
                rate = (done - began_at) / max(time.monotonic() - began_s, 1e-3)
                update = {
                    "progress": round(min(done / total, 1.0), 4),
                    "total": int(total),
                    "eta_s": round((total - done) / rate, 1) if rate > 0 else None,
                }
            if text := news.get("text"):
                update["log"] = (*job.log, str(text))[-LOG_LINES:]
            self._put(job.model_copy(update=update))

        return follow

    def _finish_job(self, job_id: str, state: JobStateWord, **update: Any) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.is_over:  # cancelled at the last moment
            return
        over = {"state": state, "ended_at": self._now(), "eta_s": None, **update}
        self._put(job.model_copy(update=over))

    def _put(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        self.changed.mark()

    def _forget_old(self) -> None:
        over = [job.job_id for job in self._jobs.values() if job.is_over]
        for job_id in over[: max(0, len(self._jobs) - KEPT_JOBS)]:
            del self._jobs[job_id]

    async def save(self) -> None:
        """Save the queue. Raises OSError."""
        async with self._saving:
            content = _File(jobs=tuple(self._jobs.values())).model_dump_json(indent=1).encode()
            await to_thread.run_sync(write_whole, self._path, content)


async def read_jobs(path: Path) -> list[Job]:
    """Read the queue of an earlier server; jobs that ran then wait again."""
    return [
        job.model_copy(update={"state": "waiting"}) if job.state in {"running", "paused"} else job
        for job in await to_thread.run_sync(_read, path)
    ]


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _read(path: Path) -> Iterable[Job]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return ()
    try:
        return _File.model_validate_json(text).jobs
    except ValidationError as error:
        kept = path.with_suffix(".damaged")
        with suppress(OSError):
            path.replace(kept)
        log.error("The job queue cannot be read and was renamed to %s: %s", kept, error)
        return ()
