"""Studio runs for post-processing jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from touchline.capture.jobkinds.kind import JobContext
from touchline.capture.jobkinds.kinds import KINDS
from touchline.capture.processing.jobs import Job
from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Blocked


class StudioOrders:
    """Preparation of studio runs. `free_bytes` returns the free space of the recordings disk."""

    def __init__(
        self,
        context: JobContext,
        *,
        log_path: Path,
        free_bytes: Callable[[], Awaitable[int]],
        floor_bytes: int,
    ) -> None:
        self._context = context
        self._log_path = log_path
        self._free_bytes, self._floor_bytes = free_bytes, floor_bytes

    async def prepare(self, job: Job) -> StudioRun:
        """Return the studio run of a job.

        Raises NotFound, and Refused or Blocked if it cannot be run now.
        """
        folder = await self._context.library.folder(job.match_id)
        await self._need_room(job)
        own = await KINDS[job.kind].order(self._context, job.match_id, job.params)
        return StudioRun(job.kind, {"folder": str(folder), **own}, log_path=self._log_path)

    async def _need_room(self, job: Job) -> None:
        """Check that the result leaves enough space for the next recording.

        Raises Blocked.
        """
        if not KINDS[job.kind].is_large:
            return
        manifest = await self._context.library.manifest(job.match_id)
        needed = sum(segment.size_bytes for segment in manifest.segments)
        free = await self._free_bytes()
        if free - needed < self._floor_bytes:
            raise Blocked(
                f"{job.kind} of {job.match_id} may need {needed >> 20} MiB, but only"
                f" {free >> 20} MiB are free",
                code="disk_low",
                advice="Delete matches that are no longer needed and retry.",
            )
