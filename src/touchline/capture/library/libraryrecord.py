"""Number of the next match and newest trusted date, stored in `library.json`.

The file is in the data directory. Losing it costs nothing: the matches have their numbers in their
manifests. So a recording does not wait for that directory's disk, which may be full or slow.
The functions that touch a disk block: call them in a thread.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from touchline.capture.library.manifest.file import FILE_NAME as MANIFEST_NAME
from touchline.capture.library.wholefile import write_whole
from touchline.core.wallclock import Trust
from touchline.foreign.files import read_bytes

log = logging.getLogger(__name__)

FILE_NAME = "library.json"


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    last_number: int = 0
    newest_unix_ns: int | None = None


class LibraryRecord:
    """Record of the library in `root`; its numbers only ever increase.

    Changes take effect in memory, and `save` stores them. Without a `path` the record is derived
    from the manifests only.
    """

    def __init__(self, root: Path, path: Path | None) -> None:
        self._root, self._path = root, path
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._file: _File | None = None
        self._saved: _File | None = None

    @property
    def newest_unix_ns(self) -> int | None:
        """Newest trusted date; None if there is none, or before `load`."""
        return None if self._file is None else self._file.newest_unix_ns

    def load(self) -> None:
        """Read the record, and the numbers in the manifests.

        A lost record is rebuilt.
        """
        with self._lock:
            self._read()

    @property
    def is_saved(self) -> bool:
        """Whether the file has all changes."""
        return self._path is None or self._file == self._saved

    def next_number(self) -> int:
        """Return the number for a new match."""
        with self._lock:
            file = self._read()
            number = file.last_number + 1
            self._file = file.model_copy(update={"last_number": number})
            return number

    def note_date(self, unix_ns: int, trust: Trust) -> None:
        """Record a date, so that a clock that later goes back behind it is recognised as wrong.

        A doubtful date is not recorded.
        """
        if trust == "doubtful":
            return
        with self._lock:
            file = self._read()
            newest_ns = file.newest_unix_ns
            if trust == "synchronised" or newest_ns is None or unix_ns > newest_ns:
                self._file = file.model_copy(update={"newest_unix_ns": unix_ns})

    def save(self) -> None:
        """Store the changes. Raises OSError."""
        with self._saving:
            file = self._file
            if self._path is None or file is None or file == self._saved:
                return
            write_whole(self._path, file.model_dump_json().encode())
            self._saved = file

    def _read(self) -> _File:
        if self._file is None:
            self._saved = found = _File() if self._path is None else _read_record(self._path)
            last = max([found.last_number, *_numbers(self._root)])
            self._file = found.model_copy(update={"last_number": last})
        return self._file


def _read_record(path: Path) -> _File:
    try:
        return _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be read and is created again: %s", path, error)
    return _File()


def _numbers(root: Path) -> Iterator[int]:
    """Yield the numbers in the manifests below the root."""
    try:
        with os.scandir(root) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    for folder in folders:
        try:
            number = json.loads(read_bytes(Path(folder) / MANIFEST_NAME))["number"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # foreign, of version 0.1.0, or damaged: reported when the match is opened
        if isinstance(number, int) and not isinstance(number, bool):
            yield number
