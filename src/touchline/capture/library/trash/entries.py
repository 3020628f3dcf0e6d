"""Layout of the trash on disk: `.trash/<date>~<id>/<match>` below the recordings folder.

An entry is a folder that holds the match under its own name; its own name has the date of the
deletion, in Unix milliseconds. One rename moves a match in or out, whatever happens in between: an
empty entry is what a crash leaves at most. Nothing is written, so that it works on a full disk.
Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from touchline.capture.library.wholefile import sync_folder
from touchline.foreign.files import is_real_folder

FOLDER = ".trash"
MOST_ENTRIES = 10_000

_NAME = re.compile(r"(\d{1,14})~([0-9a-f]{16})", re.ASCII)


@dataclass(frozen=True)
class TrashEntry:
    """Match in the trash.

    `deleted_unix_s` is None where the system clock was not trusted at the deletion.
    """

    entry_id: str
    match_id: str
    deleted_unix_s: float | None
    folder: Path

    @property
    def match_folder(self) -> Path:
        """Folder of the match."""
        return self.folder / self.match_id


def new_place(root: Path, match_id: str, unix_s: float | None) -> Path:
    """Create an empty entry and return where to move the match's folder. Raises OSError."""
    trash = root / FOLDER
    trash.mkdir(exist_ok=True)
    if not is_real_folder(trash):
        raise NotADirectoryError(f"{trash} is not a directory")
    folder = trash / _name(unix_s, secrets.token_hex(8))
    folder.mkdir()
    sync_folder(trash)
    return folder / match_id


def entry_at(place: Path, unix_s: float | None) -> TrashEntry:
    """Return the entry of a match that was moved to a new place."""
    return TrashEntry(place.parent.name.partition("~")[2], place.name, unix_s, place.parent)


def entries_in(root: Path) -> list[TrashEntry]:
    """List the matches in the trash, the longest deleted first; one without a date is the newest.

    Empty entries and everything that is not an entry are left out.
    """
    found = [entry for folder in _folders(root) if (entry := _entry(folder)) is not None]
    return sorted(found, key=_age)


def remove_empty(root: Path) -> int:
    """Remove the entries that a crash left without a match, and return their number."""
    removed = 0
    for folder in _folders(root):
        if _entry(folder) is None:
            with suppress(OSError):  # what is in it is not ours
                folder.rmdir()
                removed += 1
    return removed


def dated(entry: TrashEntry, unix_s: float) -> TrashEntry:
    """Give an entry another date of deletion. Raises OSError."""
    folder = entry.folder.with_name(_name(unix_s, entry.entry_id))
    entry.folder.rename(folder)
    return TrashEntry(entry.entry_id, entry.match_id, unix_s, folder)


def move_to(entry: TrashEntry, target: Path) -> None:
    """Move the match to `target`, which must not exist, and remove the entry. Raises OSError.

    The name is taken by an empty folder first, which only one can create: a rename replaces an
    empty folder, also one that somebody else has just begun a match in. If that one comes between,
    it has the name, and the match stays in the trash.
    """
    target.mkdir()
    try:
        entry.match_folder.rename(target)
    except OSError:
        with suppress(OSError):  # somebody else uses it by now
            target.rmdir()
        raise
    sync_folder(target.parent)
    with suppress(OSError):  # it is removed at the next start
        entry.folder.rmdir()


def _name(unix_s: float | None, entry_id: str) -> str:
    return f"{max(round((unix_s or 0) * 1000), 0)}~{entry_id}"


def _folders(root: Path) -> Iterator[Path]:
    trash = root / FOLDER
    if not is_real_folder(trash):
        return
    with os.scandir(trash) as found:
        for number, each in enumerate(found):
            if number >= MOST_ENTRIES:
                return
            if _NAME.fullmatch(each.name) and each.is_dir(follow_symlinks=False):
                yield Path(each.path)


def _entry(folder: Path) -> TrashEntry | None:
    named = _NAME.fullmatch(folder.name)
    if named is None:
        return None
    try:
        with os.scandir(folder) as found:
            matches = [e.name for e in found if e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return None  # restored or removed while we looked
    if len(matches) != 1:
        return None
    unix_s = int(named[1]) / 1000
    return TrashEntry(named[2], matches[0], unix_s or None, folder)


def _age(entry: TrashEntry) -> tuple[bool, float, str]:
    return (entry.deleted_unix_s is None, entry.deleted_unix_s or 0.0, entry.entry_id)
