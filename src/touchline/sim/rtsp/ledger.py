"""Log of a simulated camera's actions: delivered frames, requests, logins and misbehaviour.

A line is a JSON object with `event`, `at_ns` (`time.monotonic_ns`, the same in every process of the
machine) and the data of the event. A `frame` is added once it was written completely.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Entry = dict[str, Any]

_KEPT = 200_000


class Ledger:
    """Entries in memory, in a file, or in both."""

    def __init__(self, path: Path | None = None, *, keep: bool = True) -> None:
        """Append to `path`; with `keep`, hold the last entries in memory, too."""
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0) if path is not None else None
        self._kept: deque[Entry] = deque(maxlen=_KEPT if keep else 0)

    def note(self, event: str, **facts: Any) -> None:
        """Add an entry."""
        entry = {"event": event, "at_ns": time.monotonic_ns(), **facts}
        with self._lock:
            self._kept.append(entry)
            if self._file is not None:
                self._file.write(json.dumps(entry).encode() + b"\n")

    def entries(self, event: str | None = None) -> list[Entry]:
        """Return the entries so far, or those of one kind."""
        with self._lock:
            return [entry for entry in self._kept if event in {None, entry["event"]}]

    def close(self) -> None:
        """Close the file; later entries are kept in memory only."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def read_ledger(path: Path) -> list[Entry]:
    """Read the entries of a file, without an incomplete last line."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line) for line in lines]


def decodable(entries: Iterable[Entry], *, client: int, track: int = 0) -> list[Entry]:
    """Return the frames that a client received completely, with all their references.

    A frame that the camera itself damaged invalidates those that follow up to the next keyframe.
    """
    found: list[Entry] = []
    intact = False
    for entry in entries:
        if entry["event"] != "frame" or (entry["client"], entry["track"]) != (client, track):
            continue
        intact = entry["whole"] and (intact or entry["keyframe"])
        if intact:
            found.append(entry)
    return found
