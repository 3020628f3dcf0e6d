"""Access to the recorded matches, with the folders on disk as the only source.

A name from a client is accepted only if it is the name of one entry of the right kind: a match is a
real folder in the root, a segment a real file in its `segments`, a file a real file of the match.
It cannot be a path, and links are not followed.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread

from touchline.capture.library.answers import Deleted, Protection, Segments
from touchline.capture.library.archive import Archive, Member
from touchline.capture.library.inventory import (
    Inventory,
    cameras_of,
    in_order,
    match_folders,
    mebibytes,
    segments_of,
)
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER, rescan
from touchline.capture.library.stretches import MatchInterval, matches_between
from touchline.capture.library.verification import integrity
from touchline.capture.library.verification.answers import Verification
from touchline.capture.library.wholefile import sync_folder
from touchline.core.errors import NotFound, Refused
from touchline.core.tasks import Changed
from touchline.foreign.files import files_below, read_bytes
from touchline.foreign.text import file_name

T = TypeVar("T")

log = logging.getLogger(__name__)

DELETING_PREFIX = ".trash-"
"""Prefix of folders that are being deleted; a crash leaves them to `clean_up`."""

_THREADS = 8
"""Maximum number of files read at once.

A disk that hangs must not occupy the server's other threads.
"""


class Library:
    """Access to every match on disk; each answer reflects the disk at the time of the call.

    `is_running` says whether a match is being recorded: that one is never deleted, and its manifest
    belongs to the recorder.
    """

    def __init__(self, root: Path, *, is_running: Callable[[str], bool]) -> None:
        self.changed = Changed()
        """Marked when a match was deleted, verified or protected."""
        self._root = root
        self._is_running = is_running
        self._limiter = anyio.CapacityLimiter(_THREADS)
        self._inventory = Inventory(root)
        self._scan_lock = anyio.Lock()
        self._scans_begun = 0
        self._listing = b""

    async def list(self) -> bytes:
        """Return every match with footage, as encoded JSON: `{"recordings": {match_id: …}}`."""
        arrived_after = self._scans_begun
        async with self._scan_lock:
            # A scan that began after this call is current enough for it.
            if self._scans_begun == arrived_after:
                self._scans_begun += 1
                self._listing = await self._run_in_thread(self._inventory.listing, self._is_running)
            return self._listing

    async def between(self, from_s: float, to_s: float) -> Sequence[MatchInterval]:
        """Return the matches recorded between two dates, in Unix seconds."""
        return await self._run_in_thread(matches_between, await self.list(), from_s, to_s)

    async def segments(self, match_id: str) -> Segments:
        """Return the match's segments by camera, in the order of recording.

        Raises NotFound if there are none.
        """
        return await self._run_in_thread(self._segments, match_id)

    async def delete(self, match_id: str) -> Deleted:
        """Delete the match and all its files.

        Raises Refused for the running match and for a protected one. A crash during the deletion
        leaves the match either complete or removed from the list.
        """
        return await self._changing(self._delete, match_id)

    async def move_out(self, match_id: str, place: Callable[[str], Path]) -> Path:
        """Move a match's folder out of the library, to `place(name)` on the same disk.

        Returns the new path. Raises NotFound, OSError, and Refused for the running match and for a
        protected one. After a crash the match is intact, in one place or the other.
        """
        return await self._changing(self._move_out, match_id, place)

    async def segment_path(self, match_id: str, segment_name: str) -> Path:
        """Return the path of a segment.

        Raises NotFound if it is not a file of the match's `segments`.
        """
        return await self._run_in_thread(
            self._file, match_id, SEGMENTS_FOLDER, segment_name, "Segment not found"
        )

    async def file_path(self, match_id: str, file_name: str) -> Path:
        """Return the path of a file of the match.

        Raises NotFound if it is not directly in the match's folder.
        """
        return await self._run_in_thread(
            self._file, match_id, "", file_name, "Recording file not found"
        )

    async def folder(self, match_id: str) -> Path:
        """Return the folder of the match. Raises NotFound."""
        return await self._run_in_thread(self._folder, match_id)

    async def folders(self) -> Sequence[Path]:
        """Return the folders of all matches, sorted by name."""
        return await self._run_in_thread(self._folders)

    async def manifest(self, match_id: str) -> Manifest:
        """Return the manifest of the match, rebuilt from its segments if it is missing.

        Raises NotFound.
        """
        return await self._run_in_thread(self._manifest, match_id)

    def is_running(self, match_id: str) -> bool:
        """Return whether this match is being recorded at the moment."""
        return self._is_running(match_id)

    async def archive(self, match_id: str) -> Archive:
        """Return the match as a ZIP to be sent.

        For the running match it contains what is finished so far.
        """
        return await self._run_in_thread(self._archive, match_id)

    async def cameras(self, match_id: str) -> Sequence[str]:
        """List the cameras of a match, with or without files, by number. Raises NotFound."""
        return await self._run_in_thread(self._cameras, match_id)

    async def list_archives_of(self, match_id: str) -> dict[str, bool]:
        """Return which archives post-processing has created.

        The result is empty for an unknown match.
        """
        return await self._run_in_thread(self._read_archives, match_id)

    async def verify(self, match_id: str) -> Verification:
        """Read every byte of the match's segments and report any damage with its location.

        The result is kept in the manifest; of the running match the finished segments are read and
        nothing is written.
        """
        return await self._changing(self._verify, match_id)

    async def protect(self, match_id: str, *, protected: bool) -> Protection:
        """Protect the match from deletion, by a request or to make room, or remove the protection.

        Raises Refused for the running match, which is never deleted.
        """
        return await self._changing(self._protect, match_id, protected)

    async def clean_up(self) -> int:
        """Finish the deletions that a crash interrupted, and return their number.

        Called at startup. What cannot be removed is logged and stays hidden: it must not prevent a
        recording.
        """
        return await self._run_in_thread(self._clean_up)

    async def _changing(self, function: Callable[..., T], *args: Any) -> T:
        try:
            return await self._run_in_thread(function, *args)
        finally:
            self.changed.mark()

    async def _run_in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await to_thread.run_sync(partial(function, *args), limiter=self._limiter)

    def _folder(self, match_id: str) -> Path:
        folder = _entry(self._root, match_id, stat.S_ISDIR)
        if folder is None:
            raise _not_found(match_id)
        return folder

    def _folders(self) -> Sequence[Path]:
        return [self._root / name for name in match_folders(os.fspath(self._root))]

    def _manifest(self, match_id: str) -> Manifest:
        folder = self._folder(match_id)
        return manifestfile.load(folder) or rescan(folder)

    def _segments(self, match_id: str) -> Segments:
        segments = _entry(self._folder(match_id), SEGMENTS_FOLDER, stat.S_ISDIR)
        if segments is None:
            raise _not_found(match_id)
        return segments_of(match_id, segments)

    def _file(self, match_id: str, subfolder: str, name: str, missing: str) -> Path:
        folder = _entry(self._root, match_id, stat.S_ISDIR)
        if folder is not None and subfolder:
            folder = _entry(folder, subfolder, stat.S_ISDIR)
        path = None if folder is None else _entry(folder, name, stat.S_ISREG)
        if path is None:
            raise NotFound(missing, code="file_not_found")
        return path

    def _delete(self, match_id: str) -> Deleted:
        deleting = self._move_out(match_id, lambda _: deleting_path(self._root))
        sizes = [found.status.st_size for found in files_below(deleting)]
        shutil.rmtree(deleting)
        return {
            "status": "deleted",
            "match_id": match_id,
            "files_deleted": len(sizes),
            "size_mb_freed": mebibytes(sum(sizes)),
        }

    def _move_out(self, match_id: str, place: Callable[[str], Path]) -> Path:
        folder = self._folder(match_id)
        self._refuse_running(match_id)
        manifest = manifestfile.load(folder)
        if manifest is not None and manifest.protected:
            raise Refused(f"Recording {match_id} is protected", code="match_protected")
        target = place(folder.name)
        try:
            folder.rename(target)
        except FileNotFoundError as error:  # another request was quicker
            raise _not_found(match_id) from error
        if self._is_running(match_id) and not folder.exists():
            # A recording was started in this folder between the check and the renaming.
            target.rename(folder)
            self._refuse_running(match_id)
        sync_folder(self._root)
        return target

    def _refuse_running(self, match_id: str) -> None:
        if self._is_running(match_id):
            raise Refused(
                f"Recording {match_id} is in progress; stop it first", code="match_running"
            )

    def _archive(self, match_id: str) -> Archive:
        folder = self._folder(match_id)
        running = self._is_running(match_id)
        manifest = manifestfile.load(folder) if running else None
        members = []
        for inside in sorted(found.inside for found in files_below(folder)):
            path = folder / inside
            if running and not _is_finished(inside, manifest):
                continue
            # The recorder may replace the manifest while the archive is being sent.
            content = read_bytes(path) if inside == Path(manifestfile.FILE_NAME) else None
            members.append(Member(f"{match_id}/{inside}", path, content))
        return Archive(f"{match_id}.zip", members, self._limiter)

    def _cameras(self, match_id: str) -> Sequence[str]:
        folder = self._folder(match_id)
        manifest = manifestfile.load(folder)
        told = () if manifest is None else tuple(manifest.cameras)
        return in_order({*cameras_of(folder / SEGMENTS_FOLDER), *told})

    def _read_archives(self, match_id: str) -> dict[str, bool]:
        folder = _entry(self._root, match_id, stat.S_ISDIR)
        filmed = [] if folder is None else self._cameras(match_id)
        cameras = ["cam0", "cam1", *(name for name in filmed if name not in {"cam0", "cam1"})]
        return {
            name: folder is not None
            and _entry(folder, f"{name}_archive.mp4", stat.S_ISREG) is not None
            for name in (*cameras, "panorama", "follow")
        }

    def _protect(self, match_id: str, protected: bool) -> Protection:  # noqa: FBT001
        folder = self._folder(match_id)
        self._refuse_running(match_id)
        manifest = manifestfile.load(folder) or rescan(folder)
        manifestfile.save(folder, manifest.model_copy(update={"protected": protected}))
        return {"match_id": match_id, "protected": protected}

    def _verify(self, match_id: str) -> Verification:
        folder = self._folder(match_id)
        running = self._is_running(match_id)
        manifest = manifestfile.load(folder) or rescan(folder)
        if running:
            finished = tuple(segment for segment in manifest.segments if segment.finalized)
            manifest = manifest.model_copy(update={"segments": finished})
        report = integrity.verify_match(folder, manifest, checksums=True, running=running)
        if not self._is_running(match_id):
            # Keep what was written meanwhile, and add only the findings.
            now = manifestfile.load(folder) or manifest
            manifestfile.save(folder, report.add_to_manifest(now))
        return {"match_id": match_id, **report.to_json()}

    def _clean_up(self) -> int:
        try:
            with os.scandir(self._root) as entries:
                left = [Path(e.path) for e in entries if e.name.startswith(DELETING_PREFIX)]
        except FileNotFoundError:
            return 0
        removed = 0
        for folder in left:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                log.warning("the deleted match in %s cannot be removed: %s", folder, error)
            else:
                removed += 1
        return removed


def deleting_path(root: Path) -> Path:
    """Return a new name for a folder that is being deleted."""
    return root / f"{DELETING_PREFIX}{secrets.token_hex(8)}"


def _not_found(match_id: str) -> NotFound:
    return NotFound(f"Recording {match_id} not found", code="recording_not_found")


def _entry(folder: Path, name: str, is_kind: Callable[[int], bool]) -> Path | None:
    """Return the entry of exactly that name, if it is of that kind.

    Hidden names are never returned.
    """
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        return None
    for named in (name, *_list_shown_as(folder, name)):
        try:
            mode = (folder / named).lstat().st_mode
        except (OSError, UnicodeEncodeError):  # absent, too long, or not a valid name
            continue
        return folder / named if is_kind(mode) else None
    return None


def _list_shown_as(folder: Path, name: str) -> Iterator[str]:
    """Yield the entries that lists show under that name because their own cannot be shown."""
    if "\\" not in name:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (e.name for e in entries if e.name != name and file_name(e.name) == name)


def _is_finished(inside: Path, manifest: Manifest | None) -> bool:
    if inside.parts[0] != SEGMENTS_FOLDER:
        return True
    segment = None if manifest is None else manifest.segment(inside.name)
    return segment is not None and segment.finalized
