"""Deleting a match: its files, and the jobs that were to make something of them."""

from __future__ import annotations

import logging
from typing import Any

from touchline.capture.library.library import Library
from touchline.capture.processing.jobs import JobQueue

log = logging.getLogger(__name__)


class Removal:
    """The one way in which matches are deleted, on request and to make room."""

    def __init__(self, library: Library, jobs: JobQueue) -> None:
        self._library = library
        self._jobs = jobs

    def is_processing(self, match_id: str) -> bool:
        """Whether a job of the match waits, runs or is paused."""
        return any(not job.is_over for job in self._jobs.of_match(match_id))

    async def delete(self, match_id: str) -> dict[str, Any]:
        """Delete a match with all its files, and its jobs with it.

        Raises NotFound, Refused for the running and for a protected match, and OSError.
        """
        deleted = await self._library.delete(match_id)
        try:
            await self._jobs.drop_match(match_id)
        except OSError as error:
            # They are forgotten here; a next server would find that their match is gone.
            log.error("the jobs of %s cannot be removed from the list: %s", match_id, error)  # noqa: TRY400
        return deleted
