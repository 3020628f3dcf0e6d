"""Room for the running match: the oldest unprotected matches go, where that is configured."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
from anyio import to_thread

from touchline.capture import manifest as manifests
from touchline.capture.library import Library
from touchline.capture.retention import StoredMatch, matches_to_delete
from touchline.core.errors import NotFound, Refused

log = logging.getLogger(__name__)

_SPARE_BYTES = 2 << 30
"""Delete down to this much above the floor, so that it is not done again every minute."""


class Space:
    """Deletes matches one call at a time; a call while one is under way waits for it."""

    def __init__(self, library: Library, root: Path, *, floor_bytes: int) -> None:
        self._library = library
        self._root = root
        self._floor_bytes = floor_bytes
        self._one_at_a_time = anyio.Lock()

    async def make(self, is_running: Callable[[str], bool]) -> None:
        """Delete until there is room above the floor, or nothing may be deleted any more."""
        async with self._one_at_a_time:
            stored, free = await to_thread.run_sync(self._look, is_running)
            target = self._floor_bytes + _SPARE_BYTES
            for match in matches_to_delete(stored, free_bytes=free, target_free_bytes=target):
                try:
                    await self._library.delete(match.match_id)
                except (NotFound, Refused, OSError) as error:
                    log.warning("%s stays: %s", match.match_id, error)
                else:
                    log.warning("deleted match %s: the disk was full", match.match_id)

    def _look(self, is_running: Callable[[str], bool]) -> tuple[list[StoredMatch], int]:
        stats = os.statvfs(self._root)
        with os.scandir(self._root) as entries:
            folders = [
                Path(e)
                for e in entries
                if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")
            ]
        stored = [_stored(folder, running=is_running(folder.name)) for folder in folders]
        return stored, stats.f_bavail * stats.f_frsize


def _stored(folder: Path, *, running: bool) -> StoredMatch:
    files = list(_files(folder))
    try:
        manifest = manifests.load(folder)
        protected = manifest is not None and manifest.protected
    except Refused as error:
        log.warning("%s stays: %s", folder.name, error.message)
        protected = True  # what we cannot read is not ours to delete
    footage = [s.st_mtime for path, s in files if path.suffix in manifests.VIDEO_SUFFIXES]
    return StoredMatch(
        match_id=folder.name,
        created_unix_s=min(footage, default=None),
        size_bytes=sum(s.st_size for _, s in files),
        protected=protected,
        running=running,
    )


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The regular files below; one that goes meanwhile (a manifest being replaced) is none."""
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(found.st_mode):
            yield path, found
