"""Post-processing of recorded matches: archives, panorama, and a cut that follows the play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from touchline.capture.jobkinds.kind import JobContext
from touchline.capture.jobkinds.kinds import KINDS, ORDER, JobKindName
from touchline.capture.processing.answers import ProcessingStatus
from touchline.capture.processing.jobs import Job, JobQueue
from touchline.capture.processing.results import JobResults
from touchline.capture.settings.processing import ProcessingSettings
from touchline.core.errors import NotFound, Refused
from touchline.media.matchfiles import as_text


class Processing:
    """Post-processing of matches by jobs in the queue."""

    def __init__(
        self,
        settings: ProcessingSettings,
        context: JobContext,
        queue: JobQueue,
        results: JobResults,
    ) -> None:
        self.results = results
        self._settings = settings
        self._context = context
        self._library = context.library
        self._queue = queue

    async def start(
        self,
        match_id: str,
        kinds: Sequence[JobKindName],
        params: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[Job]:
        """Queue jobs of these kinds for a match, in a suitable order.

        `params` are given by kind. Raises NotFound for an unknown match and Refused for the one
        that is being recorded.
        """
        await self._library.folder(match_id)
        if self._library.is_running(match_id):
            raise Refused(
                f"Recording {match_id} is in progress; process it after it has finished",
                code="match_running",
            )
        jobs = self._put(match_id, kinds, params or {})
        await self._queue.save()
        return jobs

    def after_recording(self, match_id: str) -> None:
        """Queue all configured jobs of a match that requested them and has ended.

        The queue is saved when it runs the first of them.
        """
        kinds = list(self._settings.after_recording)
        if self._settings.upload.bucket is not None:
            kinds.append("upload")
        self._put(match_id, kinds, {})

    def _put(
        self,
        match_id: str,
        kinds: Sequence[JobKindName],
        params: Mapping[str, Mapping[str, Any]],
    ) -> list[Job]:
        jobs = []
        for name in sorted(set(kinds), key=ORDER.index):
            kind = KINDS[name]
            own = {**params.get(name, kind.params), **kind.fixed_params(self._context)}
            jobs.append(self._queue.put(name, match_id, **own))
        return jobs

    async def _find_cameras_without_archive(
        self, match_id: str, archives: Mapping[str, bool]
    ) -> list[str]:
        """Return the cameras of a match without an archive, if others have one."""
        try:
            cameras = await self._library.cameras(match_id)
        except NotFound:
            return []
        missing = [camera for camera in cameras if not archives.get(camera)]
        return missing if len(missing) < len(cameras) else []

    async def _list_results(self, match_id: str) -> list[Mapping[str, Any]]:
        """Return the results of jobs of a match that are no longer in the queue."""
        try:
            made = (await self.results.of_match(match_id))["made"]
        except NotFound:
            return []
        return list(made.values())

    async def status(self, match_id: str) -> ProcessingStatus:
        """Return the progress of a match's post-processing.

        An unknown match counts as not processed.
        """
        archives = await self._library.list_archives_of(match_id)
        jobs = self._queue.of_match(match_id)
        if not jobs:
            missing = await self._find_cameras_without_archive(match_id, archives)
            made = any(archives.values())
            message = _complete(await self._list_results(match_id)) if made else "Not processed"
            if missing:
                message = f"No archive of {', '.join(missing)}"
            idle: ProcessingStatus = {
                "processing": False,
                "completed": made and not missing,
                "message": message,
            }
            if made:
                idle["archives"] = archives
            return idle
        going_on = [job for job in jobs if not job.is_over]
        failed = [job for job in jobs if job.state == "failed"]
        last = going_on[0] if going_on else jobs[-1]
        started = [job.started_at for job in jobs if job.started_at is not None]
        ended = [job.ended_at for job in jobs if job.ended_at is not None]
        message = _complete(job.result or {} for job in jobs if job.state == "done")
        if going_on:
            message = f"{last.kind} is {last.state}"
        elif failed:
            fault = failed[-1].error
            message = f"{failed[-1].kind} failed: {fault.message if fault else 'no reason known'}"
        lasted_s = (
            max(0.0, (max(ended) - min(started)).total_seconds()) if started and ended else None
        )
        return {
            "processing": bool(going_on),
            "completed": not going_on and not failed,
            "status": "processing" if going_on else ("failed" if failed else "complete"),
            "message": message,
            "start_time": min(started).astimezone().replace(tzinfo=None).isoformat()
            if started
            else None,
            "duration_seconds": None if going_on else lasted_s,
            "progress": round(sum(job.progress for job in jobs) / len(jobs), 4),
            "eta_seconds": last.eta_s,
            "archives": archives,
            "jobs": [job.to_json() for job in jobs],
        }


def _complete(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the message of a completed match.

    It names the files that are missing from every result, with the reasons.
    """
    reasons: dict[str, str] = {}
    for result in results:
        left_out = result.get("left_out")
        if isinstance(left_out, Mapping):
            reasons |= {str(name): str(why) for name, why in left_out.items()}
    if not reasons:
        return "Processing complete"
    return f"Processing complete, but files were left out: {as_text(tuple(reasons.values()))}"
