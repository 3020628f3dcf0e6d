"""Post-processing of recorded matches: archives, panorama, and a cut that follows the play.

The match's folder is the record: a result exists if its file does, and `processing.json` describes
how it was made.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from anyio import CapacityLimiter, to_thread

from touchline.capture.cameras.calibrations import Calibrations
from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.library.wholefile import write_whole
from touchline.capture.processing.answers import MadeOfMatch, ProcessingStatus, UploadState
from touchline.capture.processing.jobs import Job, JobQueue
from touchline.capture.processing.kinds import KINDS, ORDER, JobContext
from touchline.capture.programs.studio import StudioRun
from touchline.capture.settings.processing import Kind, ProcessingSettings
from touchline.core.errors import Blocked, NotFound, Refused
from touchline.core.events.log import EventLog
from touchline.foreign.files import read_bytes
from touchline.media.matchfiles import as_text

log = logging.getLogger(__name__)

RECORD, UPLOADS = "processing.json", "upload.json"
_UPLOAD_FACTS = frozenset({"state", "key", "size_bytes", "sent_bytes", "error"})


class Processing:
    """Preparation of jobs and storage of their results. Belongs to the event loop."""

    def __init__(
        self,
        settings: ProcessingSettings,
        library: Library,
        calibrations: Calibrations,
        markers: Markers,
        events: EventLog,
        *,
        log_dir: Path,
        free_bytes: Callable[[], Awaitable[int]],
        floor_bytes: int,
    ) -> None:
        self._free_bytes, self._floor_bytes = free_bytes, floor_bytes
        # A separate limiter, because the general pool is the recorder's.
        self._threads = CapacityLimiter(2)
        self._settings = settings
        self._library = library
        self._calibrations = calibrations
        self._context = JobContext(settings, library, calibrations, markers)
        self._events = events
        self._log_path = log_dir / "studio.log"

    async def prepare(self, job: Job) -> StudioRun:
        """Return the studio's run for a job.

        Raises NotFound, and Refused if it cannot be done now.
        """
        folder = await self._library.folder(job.match_id)
        await self._need_room(job)
        own = await KINDS[job.kind].order(self._context, job)
        return StudioRun(job.kind, {"folder": str(folder), **own}, log_path=self._log_path)

    async def _need_room(self, job: Job) -> None:
        """Check that the result leaves enough space for the next recording.

        Raises Blocked.
        """
        if not KINDS[job.kind].is_large:
            return
        manifest = await self._library.manifest(job.match_id)
        needed = sum(segment.size_bytes for segment in manifest.segments)
        free = await self._free_bytes()
        if free - needed < self._floor_bytes:
            raise Blocked(
                f"{job.kind} of {job.match_id} may need {needed >> 20} MiB, but only"
                f" {free >> 20} MiB are free",
                code="disk_low",
                advice="Delete matches that are no longer needed and retry.",
            )

    async def finish(self, job: Job, result: Mapping[str, Any]) -> None:
        """Store the result of a job in the match's record."""
        folder = await self._library.folder(job.match_id)
        await to_thread.run_sync(partial(_note, folder, job.kind, result))
        self._events.record(
            "processing",
            "finished",
            f"{job.kind} of {job.match_id} is done",
            match_id=job.match_id,
            job_id=job.job_id,
        )

    async def record(self, match_id: str) -> MadeOfMatch:
        """Return the results of a match by kind, and the uploads of its files.

        Raises NotFound.
        """
        folder = await self._library.folder(match_id)
        made = await to_thread.run_sync(_read, folder, RECORD, limiter=self._threads)
        uploads = await to_thread.run_sync(_read, folder, UPLOADS, limiter=self._threads)
        # Files of the match: what is no record of ours is left out.
        return {
            "match_id": match_id,
            "made": _objects(made),
            "uploads": {
                name: _upload_state(state) for name, state in _objects(uploads.get("files")).items()
            },
        }

    async def start(
        self,
        queue: JobQueue,
        match_id: str,
        kinds: Sequence[Kind],
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
        jobs = self._put(queue, match_id, kinds, params or {})
        await queue.save()
        return jobs

    def after_recording(self, queue: JobQueue, match_id: str) -> None:
        """Queue all configured jobs of a match that requested them and has ended.

        `queue.save` follows.
        """
        kinds = list(self._settings.after_recording)
        if self._settings.upload.bucket is not None:
            kinds.append("upload")
        self._put(queue, match_id, kinds, {})

    def _put(
        self,
        queue: JobQueue,
        match_id: str,
        kinds: Sequence[Kind],
        params: Mapping[str, Mapping[str, Any]],
    ) -> list[Job]:
        jobs = []
        for kind in sorted(set(kinds), key=ORDER.index):
            own = dict(params.get(kind, KINDS[kind].params))
            if kind == "panorama":
                own["calibration_version"] = self._calibrations.config.active_version
            jobs.append(queue.put(kind, match_id, **own))
        return jobs

    async def _without_archive(self, match_id: str, archives: Mapping[str, bool]) -> list[str]:
        """Return the cameras of a match without an archive, if others have one."""
        try:
            cameras = await self._library.cameras(match_id)
        except NotFound:
            return []
        missing = [camera for camera in cameras if not archives.get(camera)]
        return missing if len(missing) < len(cameras) else []

    async def _made(self, match_id: str) -> list[Mapping[str, Any]]:
        """Return the results of jobs of a match that are no longer in the queue."""
        try:
            made = (await self.record(match_id))["made"]
        except NotFound:
            return []
        return list(made.values())

    async def status(self, queue: JobQueue, match_id: str) -> ProcessingStatus:
        """Return the progress of a match's post-processing.

        An unknown match counts as not processed.
        """
        archives = await self._library.made_archives(match_id)
        jobs = queue.of_match(match_id)
        if not jobs:
            missing = await self._without_archive(match_id, archives)
            made = any(archives.values())
            message = _complete(await self._made(match_id)) if made else "Not processed"
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


def _objects(found: object) -> dict[str, dict[str, Any]]:
    """Return the entries that are objects; none if this is no object itself."""
    if not isinstance(found, dict):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)}


def _upload_state(found: Mapping[str, Any]) -> UploadState:
    """Return the published facts of an upload, as the studio wrote them."""
    return cast("UploadState", {key: found[key] for key in found if key in _UPLOAD_FACTS})


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(read_bytes(folder / name))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s of %s cannot be read: %s", name, folder.name, error)
        return {}
    return found if isinstance(found, dict) else {}


def _note(folder: Path, kind: str, result: Mapping[str, Any]) -> None:
    record = {**_read(folder, RECORD), kind: dict(result)}
    write_whole(folder / RECORD, json.dumps(record, indent=1).encode())
