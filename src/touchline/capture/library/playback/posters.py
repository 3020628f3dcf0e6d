"""Posters: the picture of a match in lists, created once and kept with the match."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.library.library import Library
from touchline.capture.library.markers import Markers
from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Failed, NotFound, TouchlineError
from touchline.foreign.files import SEGMENTS_FOLDER

log = logging.getLogger(__name__)

MOST_MOMENTS = 3
_KEPT_REFUSALS = 256
_SEEN_FIRST = ("goal", "chance", "kickoff")
"""Kinds of markers whose moments are shown rather than others."""

RunStudio = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class Posters:
    """Posters of finished matches.

    A match without a decodable picture is not tried again before its footage changes.
    """

    def __init__(self, library: Library, markers: Markers, run_studio: RunStudio) -> None:
        self._library = library
        self._markers = markers
        self._run_studio = run_studio
        self._one_at_a_time = anyio.Lock()
        self._refused: OrderedDict[str, tuple[int, NotFound]] = OrderedDict()
        # A separate limiter, because the general pool is the recorder's.
        self._threads = anyio.CapacityLimiter(2)

    async def find(self, match_id: str) -> Path | None:
        """Return the poster of a match if there is one. Raises NotFound for an unknown match."""
        for camera in (*await self._library.cameras(match_id), "panorama"):
            try:
                return await self._library.file_path(match_id, f"{camera}_poster.jpg")
            except NotFound:
                continue
        return None

    async def create(self, match_id: str) -> Path:
        """Create the poster of a match, at the lowest priority, and return its path.

        Raises NotFound for an unknown match and for one without a picture, and Failed.
        """
        folder = await self._library.folder(match_id)
        async with self._one_at_a_time:
            found = await self.find(match_id)  # created while this request waited
            return found or await self._create(match_id, folder)

    async def _create(self, match_id: str, folder: Path) -> Path:
        state = await to_thread.run_sync(partial(_state, folder), limiter=self._threads)
        known = self._refused.get(match_id)
        if known is not None and known[0] == state:
            raise known[1]
        spec = {"folder": str(folder), "moments_ns": await self._moments(match_id)}
        try:
            made = await self._run_studio(spec)
        except Failed as error:
            if error.code != "no_footage":
                raise
            refused = NotFound(f"{match_id} has no poster: {error.message}", code="no_poster")
            self._refused[match_id] = state, refused
            while len(self._refused) > _KEPT_REFUSALS:
                self._refused.popitem(last=False)
            raise refused from error
        self._refused.pop(match_id, None)
        return await self._library.file_path(match_id, str(made["poster"]))

    async def _moments(self, match_id: str) -> list[int]:
        """Return the instants of markers that may show something, the best first."""
        moments: list[int] = []
        try:
            for kinds in (*([kind] for kind in _SEEN_FIRST), None):
                moments += await self._markers.moments(match_id, kinds)
        except TouchlineError as error:  # damaged markers do not cost the poster
            log.warning("%s", error.message)
        return list(dict.fromkeys(moments))[:MOST_MOMENTS]


def studio_posters(log_path: Path) -> RunStudio:
    """Return how posters are created by the studio, each in a process of its own."""

    async def run(spec: Mapping[str, Any]) -> Mapping[str, Any]:
        return await StudioRun("poster", spec, log_path=log_path).run(lambda _: None)

    return run


def _state(folder: Path) -> int:
    """Return a value that changes when footage is added to a match or removed."""
    try:
        return (folder / SEGMENTS_FOLDER).stat(follow_symlinks=False).st_ctime_ns
    except OSError:
        return 0
