"""Details of a match: teams, competition, venue, date and a note."""

from __future__ import annotations

from functools import partial

import anyio
from anyio import to_thread

from touchline.capture.library.library import Library
from touchline.capture.library.manifest import detailsfile
from touchline.capture.library.manifest.detailsfile import Details, MatchDetails
from touchline.core.errors import Failed, NotFound


class DetailsStore:
    """Details of all matches, read on demand."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._writing = anyio.Lock()
        # A separate limiter, because the general pool is the recorder's.
        self._threads = anyio.CapacityLimiter(2)

    async def get(self, match_id: str) -> MatchDetails:
        """Return the details of a match; all null if none were entered.

        Raises NotFound, Failed where they cannot be read, and Refused for those of a newer version.
        """
        folder = await self._library.folder(match_id)
        try:
            work = partial(detailsfile.load, folder)
            found = await to_thread.run_sync(work, limiter=self._threads)
        except OSError as error:
            raise Failed(
                f"The details of {match_id} cannot be read: {error.strerror or error}",
                code="details_unreadable",
            ) from error
        return (found or Details()).to_json()

    async def put(self, match_id: str, details: Details) -> MatchDetails:
        """Replace the details of a match, also of the running one, and return them.

        Raises NotFound, Failed where they cannot be saved, and Refused where a newer version wrote
        the old ones, which are kept.
        """
        async with self._writing:
            folder = await self._library.folder(match_id)
            try:
                work = partial(detailsfile.save, folder, details)
                await to_thread.run_sync(work, limiter=self._threads)
            except FileNotFoundError as error:  # deleted a moment ago
                raise NotFound(
                    f"Recording {match_id} not found", code="recording_not_found"
                ) from error
            except OSError as error:
                raise Failed(
                    f"The details of {match_id} cannot be saved: {error.strerror or error}."
                    " The earlier ones were kept",
                    code="details_not_saved",
                ) from error
        self._library.changed.mark()
        return details.to_json()
