"""Deletion of a match with its files and jobs."""

from __future__ import annotations

import logging

from touchline.capture.library.answers import Deleted
from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import JobQueue

log = logging.getLogger(__name__)


class Removal:
    """Deletion of matches, on request and to make room."""

    def __init__(self, library: Library, jobs: JobQueue) -> None:
        self._library = library
        self._jobs = jobs

    def is_processing(self, match_id: str) -> bool:
        """Return whether a job of the match waits, runs or is paused."""
        return any(not job.is_over for job in self._jobs.of_match(match_id))

    async def delete(self, match_id: str) -> Deleted:
        """Delete a match with all its files and jobs.

        Raises NotFound, Refused for the running and for a protected match, and OSError.
        """
        deleted = await self._library.delete(match_id)
        await self.drop_jobs(match_id)
        return deleted

    async def drop_jobs(self, match_id: str) -> None:
        """Remove all jobs of a match that is gone."""
        try:
            await self._jobs.drop_match(match_id)
        except OSError as error:
            # The jobs are dropped in memory; the next server finds that their match is missing.
            log.error("the jobs of %s cannot be removed from the list: %s", match_id, error)
