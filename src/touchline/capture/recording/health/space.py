"""Disk space for the running match: the trash is emptied first, then the oldest matches go."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import anyio
from anyio import to_thread

from touchline.capture.library.answers import Deleted
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.trash.retention import StoredMatch, matches_to_delete
from touchline.core.errors import NotFound, Refused
from touchline.foreign.files import files_below
from touchline.media.matchfiles import VIDEO_SUFFIXES
from touchline.media.storage.diskspace import read_space

log = logging.getLogger(__name__)

_SPARE_BYTES = 2 << 30
"""Free bytes above the floor that a deletion aims for, so that it is not needed every minute."""

RECLAIM_BYTES = 1 << 30
"""Where less than this is free above the floor during a recording, the trash is emptied.

The footage of some minutes: the disk does not become full then.
"""

_EVERYTHING = 1 << 62
_SETTLED_S = 2.0
"""Seconds after which a repeated refusal is current: a worker retries many times within it."""


async def _lasts(is_refused: Callable[[], bool]) -> bool:
    """Return whether footage is refused now, and still is a moment later."""
    for _ in range(20):
        if not is_refused():
            return False
        await anyio.sleep(_SETTLED_S / 20)
    return is_refused()


class _Found(NamedTuple):
    """Match as read from its folder."""

    match_id: str
    created_unix_s: float | None
    size_bytes: int
    number: int | None
    protected: bool


class MatchRemover(Protocol):
    """Deletion of a match with everything that belongs to it."""

    def is_processing(self, match_id: str) -> bool:
        """Return whether a job of the match waits, runs or is paused."""
        ...

    async def delete(self, match_id: str) -> Deleted:
        """Delete a match.

        Raises NotFound, Refused for a running or protected one, and OSError.
        """
        ...


class TrashBin(Protocol):
    """Matches that may be deleted before any other."""

    async def reclaim(self, is_enough: Callable[[], Awaitable[bool]]) -> None:
        """Delete matches, the longest deleted first, until there is enough space."""
        ...


class Space:
    """Serialised deletion of matches; a call during another one waits for it.

    Matches outside the trash are deleted only with `deletes_matches`.
    """

    def __init__(
        self,
        removal: MatchRemover,
        trash: TrashBin,
        root: Path,
        *,
        floor_bytes: int,
        deletes_matches: bool,
    ) -> None:
        self._removal = removal
        self._trash = trash
        self._root = root
        self._floor_bytes = floor_bytes
        self._deletes_matches = deletes_matches
        self._one_at_a_time = anyio.Lock()

    async def reclaim(self, is_refused: Callable[[], bool]) -> None:
        """Empty the trash until there is room above the floor, and footage is accepted.

        The match that was deleted first goes first, and no more go than are needed.
        """
        async with self._one_at_a_time:
            await self._trash.reclaim(partial(self._is_enough, is_refused))

    async def _is_enough(self, is_refused: Callable[[], bool]) -> bool:
        free_bytes = await to_thread.run_sync(self._free_bytes)
        if free_bytes < self._floor_bytes + _SPARE_BYTES:
            return False
        return not await _lasts(is_refused)

    def _free_bytes(self) -> int:
        return read_space(self._root).free_bytes

    async def make(self, is_running: Callable[[str], bool], is_refused: Callable[[], bool]) -> None:
        """Delete matches until there is room above the floor, or no more may be deleted.

        Those in the trash go first. Where there is room, but footage is still refused as on a full
        disk (`is_refused`: a quota is used up, or no inode is left), matches are deleted one at a
        time until footage is accepted again.
        """
        await self.reclaim(is_refused)
        if not self._deletes_matches:
            return
        async with self._one_at_a_time:
            found, free = await to_thread.run_sync(self._look)
            stored = [
                StoredMatch(
                    **each._asdict(),
                    running=is_running(each.match_id),
                    processing=self._removal.is_processing(each.match_id),
                )
                for each in found
            ]
            target = self._floor_bytes + _SPARE_BYTES
            if free < target:
                for match in matches_to_delete(stored, free_bytes=free, target_free_bytes=target):
                    await self._delete(match.match_id)
                return
            everything = matches_to_delete(stored, free_bytes=0, target_free_bytes=_EVERYTHING)
            for match in everything:
                if not await _lasts(is_refused):
                    return
                await self._delete(match.match_id)

    async def _delete(self, match_id: str) -> None:
        if self._removal.is_processing(match_id):  # a job may have been started since
            return
        try:
            await self._removal.delete(match_id)
        except (NotFound, Refused, OSError) as error:
            log.warning("%s was not deleted: %s", match_id, error)
        else:
            log.warning("deleted match %s: the disk was full", match_id)

    def _look(self) -> tuple[list[_Found], int]:
        free_bytes = self._free_bytes()
        with os.scandir(self._root) as entries:
            folders = [
                Path(e)
                for e in entries
                if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")
            ]
        return [_read_match(folder) for folder in folders], free_bytes


def _read_match(folder: Path) -> _Found:
    found = list(files_below(folder, hidden=True))
    manifest = None
    try:
        manifest = manifestfile.load(folder)
        protected = manifest is not None and manifest.protected
    except Refused as error:
        log.warning("%s was not deleted: %s", folder.name, error.message)
        protected = True  # an unreadable match is never deleted
    footage = [s.st_mtime for path, s in found if path.suffix in VIDEO_SUFFIXES]
    return _Found(
        match_id=folder.name,
        created_unix_s=min(footage, default=None),
        size_bytes=sum(s.st_size for _, s in found),
        number=None if manifest is None else manifest.number,
        protected=protected,
    )
