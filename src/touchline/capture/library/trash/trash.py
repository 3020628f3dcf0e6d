"""Trash of the library: a deleted match can be restored for some days (docs/decisions/0030)."""

from __future__ import annotations

import errno
import logging
import math
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import anyio
from anyio import to_thread

from touchline.capture.library.inventory import manifest_fields, mebibytes
from touchline.capture.library.library import Library, deleting_path
from touchline.capture.library.manifest import detailsfile
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.detailsfile import MatchDetails
from touchline.capture.library.trash.answers import (
    MovedToTrash,
    PurgedMatches,
    RestoredMatch,
    TrashedMatch,
    TrashListing,
)
from touchline.capture.library.trash.entries import (
    TrashEntry,
    dated,
    entries_in,
    entry_at,
    move_to,
    new_place,
    remove_empty,
)
from touchline.core.errors import Failed, NotFound, Refused, TouchlineError
from touchline.core.events.log import EventLog
from touchline.foreign.files import files_below
from touchline.foreign.text import file_name

T = TypeVar("T")

log = logging.getLogger(__name__)

EXPIRE_EVERY_S = 600.0
_DAY_S = 86_400
_FIRST_UNIX_S = 1_577_836_800
"""Earliest plausible date of a deletion (2020), in Unix seconds."""
_MOST_NAMES = 1000
_LONGEST_NAME_BYTES = 255

Reason = Literal["asked", "expired", "space"]
"""Why a match was deleted from the trash."""

_BECAUSE: dict[Reason, str] = {
    "asked": "on request",
    "expired": "its days are over",
    "space": "space was needed for a recording",
}


class Trash:
    """Matches in the trash.

    `read_date` returns Unix seconds, or None while the system clock is not trusted: nothing is
    deleted by age then.
    """

    def __init__(
        self,
        root: Path,
        library: Library,
        *,
        kept_days: int,
        events: EventLog,
        read_date: Callable[[], float | None],
    ) -> None:
        self._root = root
        self._library = library
        self._kept_days = kept_days
        self._events = events
        self._read_date = read_date
        self._changing = anyio.Lock()
        # A separate limiter, because the general pool is the recorder's.
        self._threads = anyio.CapacityLimiter(2)

    async def put(self, match_id: str) -> MovedToTrash:
        """Move a match to the trash.

        Raises NotFound, Failed, and Refused for the running match, for a protected one, and where
        the trash is disabled. After a crash the match is intact, in the library or in the trash.
        """
        if self._kept_days == 0:
            raise Refused(
                "The trash is disabled (capture.trash_days is 0)",
                code="no_trash",
                advice="Delete the match permanently instead.",
            )
        now_s = self._read_date()
        async with self._changing:
            try:
                path = await self._library.move_out(
                    match_id, lambda name: new_place(self._root, name, now_s)
                )
            except OSError as error:
                raise Failed(
                    f"{match_id} cannot be moved to the trash: {error.strerror or error}. Nothing"
                    " was changed",
                    code="trash_failed",
                ) from error
        entry = entry_at(path, now_s)
        self._note("trashed", entry, f"was moved to the trash for {self._kept_days} days")
        trashed = await self._off_loop(self._describe_entry, entry, now_s)
        return {**trashed, "status": "trashed"}

    async def list(self) -> TrashListing:
        """Return the matches in the trash, the last deleted first."""
        now_s = self._read_date()
        found = await self._off_loop(self._entries)
        matches = [
            await self._off_loop(self._describe_entry, entry, now_s) for entry in reversed(found)
        ]
        return {
            "days": self._kept_days,
            "size_bytes": sum(each["size_bytes"] for each in matches),
            "matches": matches,
        }

    async def restore(self, entry_id: str) -> RestoredMatch:
        """Move a match back to the library, under a new name where its own is taken by now.

        `entry_id` may also be a match id: the last deleted one of that id is meant. Raises
        NotFound, Refused without a free name, and Failed.
        """
        async with self._changing:
            entry = await self._find(entry_id)
            try:
                name = await self._off_loop(self._restore, entry)
            except FileNotFoundError as error:
                raise _not_in_trash(entry_id) from error
            except OSError as error:
                raise Failed(
                    f"{entry.match_id} cannot be restored: {error.strerror or error}. It is still"
                    " in the trash",
                    code="restore_failed",
                ) from error
        self._library.changed.mark()
        renamed = "" if name == entry.match_id else f" as {file_name(name)}, as its id was taken"
        self._note("restored", entry, f"was restored from the trash{renamed}")
        return {"status": "restored", "id": entry.entry_id, "match_id": file_name(name)}

    async def purge(self, entry_id: str) -> PurgedMatches:
        """Delete a match from the trash for good. Raises NotFound and Failed."""
        async with self._changing:
            entry = await self._find(entry_id)
            folder = await self._take(entry)
        return _report_purged([(entry, *await self._delete(entry, folder, "asked"))])

    async def empty(self) -> PurgedMatches:
        """Delete all matches in the trash for good.

        Raises Failed at the first that cannot be deleted.
        """
        done = []
        for entry in await self._off_loop(self._entries):
            try:
                async with self._changing:
                    folder = await self._take(entry)
                done.append((entry, *await self._delete(entry, folder, "asked")))
            except NotFound:  # restored meanwhile
                continue
        return _report_purged(done)

    async def expire(self) -> None:
        """Delete the matches whose days are over, and remove what a crash left.

        A match whose deletion has no plausible date gets the current one.
        """
        async with self._changing:
            await self._off_loop(remove_empty, self._root)
        now_s = self._read_date()
        for entry in await self._off_loop(self._entries):
            if self._kept_days == 0:
                await self._drop(entry, "expired")
            elif now_s is not None and not _is_plausible(entry.deleted_unix_s, now_s):
                async with self._changing:
                    await self._off_loop(dated, entry, now_s)
            elif now_s is not None and self._expires_s(entry) <= now_s:
                await self._drop(entry, "expired")

    async def reclaim(self, is_enough: Callable[[], Awaitable[bool]]) -> None:
        """Delete matches, the longest deleted first, until there is enough space."""
        for entry in await self._off_loop(self._entries):
            if await is_enough():
                return
            await self._drop(entry, "space")

    # ------------------------------------------------------------------ deletion

    async def _drop(self, entry: TrashEntry, reason: Reason) -> None:
        """Delete a match for good; what cannot be deleted is logged."""
        try:
            async with self._changing:
                folder = await self._take(entry)
            await self._delete(entry, folder, reason)
        except NotFound:  # restored meanwhile
            return
        except TouchlineError as error:
            log.warning("%s", error.message)

    async def _take(self, entry: TrashEntry) -> Path:
        """Move a match out of the trash to where a crash leaves it to be deleted."""
        target = deleting_path(self._root)
        try:
            await self._off_loop(move_to, entry, target)
        except FileNotFoundError as error:
            raise _not_in_trash(entry.match_id) from error
        except OSError as error:
            raise Failed(
                f"{entry.match_id} cannot be deleted from the trash: {error.strerror or error}",
                code="trash_failed",
            ) from error
        return target

    async def _delete(self, entry: TrashEntry, folder: Path, reason: Reason) -> tuple[int, int]:
        """Delete the folder of a match that was in the trash; return its files and bytes."""
        try:
            files, size_bytes = await self._off_loop(_delete_folder, folder)
        except OSError as error:
            raise Failed(
                f"Not all files of {entry.match_id} could be deleted: {error.strerror or error}."
                " The rest is deleted when the server starts the next time",
                code="trash_failed",
            ) from error
        finally:
            self._library.changed.mark()
        message = f"was deleted from the trash: {_BECAUSE[reason]}"
        self._note("purged", entry, message, reason=reason, size_bytes=size_bytes)
        return files, size_bytes

    # ------------------------------------------------------------------ in a thread

    def _entries(self) -> Sequence[TrashEntry]:
        return entries_in(self._root)

    def _describe_entry(self, entry: TrashEntry, now_s: float | None) -> TrashedMatch:
        folder = entry.match_folder
        known = manifest_fields(os.fspath(folder / manifestfile.FILE_NAME))
        deleted_s = entry.deleted_unix_s
        expires_s = None if deleted_s is None else self._expires_s(entry)
        unknown = now_s is None or expires_s is None
        return {
            "id": entry.entry_id,
            "match_id": file_name(entry.match_id),
            "deleted_at": deleted_s,
            "expires_at": expires_s,
            "days_left": None if unknown else _days(expires_s, now_s),
            "size_bytes": sum(found.status.st_size for found in files_below(folder, hidden=True)),
            "started_at": known.get("started_at"),
            "duration_s": known.get("duration_s"),
            "details": _details(folder),
        }

    def _restore(self, entry: TrashEntry) -> str:
        """Move a match back and return its name."""
        for name in _propose_names(entry.match_id):
            target = self._root / name
            if os.path.lexists(target) or self._library.is_running(name):
                continue
            try:
                move_to(entry, target)
            except OSError as error:
                if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
                    continue  # a recording was started there a moment ago
                raise
            if name != entry.match_id:
                _rename_in_manifest(target, name)
            return name
        raise Refused(
            f"A match {entry.match_id} exists, and no similar id is free",
            code="match_exists",
            advice="Move that match to the trash, and restore this one after that.",
        )

    # ------------------------------------------------------------------ helpers

    def _expires_s(self, entry: TrashEntry) -> float:
        return (entry.deleted_unix_s or 0.0) + self._kept_days * _DAY_S

    async def _find(self, entry_id: str) -> TrashEntry:
        found = await self._off_loop(self._entries)
        by_id = [entry for entry in found if entry.entry_id == entry_id]
        of_match = [
            entry for entry in found if entry_id in {entry.match_id, file_name(entry.match_id)}
        ]
        if not by_id and not of_match:
            raise _not_in_trash(entry_id)
        return (by_id or of_match)[-1]

    def _note(
        self,
        category: Literal["trashed", "restored", "purged"],
        entry: TrashEntry,
        what: str,
        **details: Any,
    ) -> None:
        match_id = file_name(entry.match_id)
        log.info("%s %s", match_id, what)
        message = f"{match_id} {what}"
        self._events.record("library", category, message, match_id=match_id, **details)

    async def _off_loop(self, function: Callable[..., T], *args: Any) -> T:
        return await to_thread.run_sync(partial(function, *args), limiter=self._threads)


def _is_plausible(deleted_s: float | None, now_s: float) -> bool:
    return deleted_s is not None and _FIRST_UNIX_S <= deleted_s <= now_s + _DAY_S


def _days(expires_s: float | None, now_s: float | None) -> int:
    return max(0, math.ceil(((expires_s or 0.0) - (now_s or 0.0)) / _DAY_S))


def _propose_names(match_id: str) -> Iterable[str]:
    """Return the match's own name, and others like it that are not too long."""
    names = [match_id, *(f"{match_id}_{number}" for number in range(2, _MOST_NAMES))]
    return (name for name in names if len(os.fsencode(name)) <= _LONGEST_NAME_BYTES)


def _rename_in_manifest(folder: Path, name: str) -> None:
    try:
        manifest = manifestfile.load(folder)
        if manifest is not None:
            manifestfile.save(folder, manifest.model_copy(update={"match_id": file_name(name)}))
    except (OSError, TouchlineError) as error:
        log.warning("the manifest of %s keeps its earlier id: %s", name, error)


def _details(folder: Path) -> MatchDetails | None:
    try:
        found = detailsfile.load(folder)
    except (OSError, TouchlineError):
        return None
    return None if found is None or found.is_empty else found.to_json()


def _delete_folder(folder: Path) -> tuple[int, int]:
    sizes = [found.status.st_size for found in files_below(folder, hidden=True)]
    shutil.rmtree(folder)
    return len(sizes), sum(sizes)


def _report_purged(done: Sequence[tuple[TrashEntry, int, int]]) -> PurgedMatches:
    return {
        "status": "deleted",
        "matches": [file_name(entry.match_id) for entry, _, _ in done],
        "files_deleted": sum(files for _, files, _ in done),
        "size_mb_freed": mebibytes(sum(size_bytes for _, _, size_bytes in done)),
    }


def _not_in_trash(entry_id: str) -> NotFound:
    return NotFound(f"{entry_id} is not in the trash", code="not_in_trash")
