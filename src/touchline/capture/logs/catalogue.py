"""Catalogue of the logs shown by the API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from touchline.capture.logs import alertlog
from touchline.capture.logs.answers import LogFileEntry, LogFileList, LogFileTail, LogTail
from touchline.capture.logs.linelog import LineLog
from touchline.capture.logs.logtail import exists, newest_lines
from touchline.core.errors import Failed, Invalid, NotFound
from touchline.foreign.files import status_of

T = TypeVar("T")

HEALTH_FILE = "health_monitor.log"
WATCHDOG_FILE = "watchdog.log"

FILES: Mapping[str, str] = {
    "health": HEALTH_FILE,
    "alerts": alertlog.FILE_NAME,
    "watchdog": WATCHDOG_FILE,
}

LOG_TYPES = tuple(FILES)

FILE_NAME = re.compile(
    r"(?:touchline|error|alerts|watchdog|health_monitor|live|studio|cam[0-9]{1,3})\.log"
)
"""Names of the server's log files. No other file of the directory is shown."""

_OLDER = re.compile(r"(.+\.log)\.[0-9]{1,4}")

MOST_LINES = 5000
MOST_BYTES = 4 << 20
"""Maximum number of bytes read for one answer.

Older content is left out, regardless of the number of lines requested.
"""

_READERS = 2


class Logs:
    """Reader of the ends of the logs in one directory, in at most two threads."""

    def __init__(self, log_dir: Path, written: Mapping[str, LineLog] | None = None) -> None:
        """Create a reader; `written` maps types to the logs that this server writes itself."""
        self._log_dir = log_dir
        self._written = written or {}
        self._readers = anyio.CapacityLimiter(_READERS)

    def newest(self, log_type: str) -> LogTail:
        """Return what this server wrote lately, from memory.

        It is a `LogTail` with `written`, the number of lines written so far: a reader that knows an
        earlier number can tell which lines are new.
        """
        lines, written = self._written[log_type].newest()
        return {
            "log_type": log_type,
            "lines": lines,
            "total_lines": len(lines),
            "written": written,
        }

    async def tail(self, log_type: str, lines: int) -> LogTail:
        """Return the body of `GET /api/v1/logs/{log_type}`: the newest lines, oldest first.

        `lines` is limited to 1 to `MOST_LINES`. Raises Invalid for an unknown log, and Failed if
        the file cannot be read.
        """
        name = FILES.get(log_type)
        if name is None:
            raise Invalid(
                f"Unknown log type. Available: {', '.join(FILES)}", code="unknown_log_type"
            )
        found = await self._read(name, partial(_tail, self._log_dir / name, _clamp(lines)))
        if found is None:
            return {"log_type": log_type, "lines": [], "message": "Log file does not exist yet"}
        found = [line.lstrip() for line in found]
        return {"log_type": log_type, "lines": found, "total_lines": len(found)}

    async def files(self) -> LogFileList:
        """Return the log files of the server and its programs. Raises Failed."""
        return {"files": await self._read("directory", partial(_entries, self._log_dir))}

    async def tail_file(self, name: str, lines: int) -> LogFileTail:
        """Return the newest lines of a log file and of its rotated files, oldest first.

        `lines` is limited to 1 to `MOST_LINES`. Raises NotFound for a name that is not in `files`,
        and Failed if the file cannot be read.
        """
        found = None
        if FILE_NAME.fullmatch(name):
            found = await self._read(name, partial(_tail, self._log_dir / name, _clamp(lines)))
        if found is None:
            raise NotFound("There is no log file of this name", code="log_file_not_found")
        return {"name": name, "lines": found, "total_lines": len(found)}

    async def _read(self, name: str, read: Callable[[], T]) -> T:
        try:
            return await anyio.to_thread.run_sync(
                read, abandon_on_cancel=True, limiter=self._readers
            )
        except OSError as error:
            raise Failed(
                f"The log {name} cannot be read: {error.strerror}", code="log_unreadable"
            ) from error


def _clamp(lines: int) -> int:
    return max(1, min(lines, MOST_LINES))


def _tail(path: Path, most: int) -> list[str] | None:
    """Return the newest lines, oldest first, without white space at their ends; None if missing."""
    if not exists(path):
        return None
    return [line.rstrip() for line in newest_lines(path, most=most, most_bytes=MOST_BYTES)][::-1]


def _entries(log_dir: Path) -> list[LogFileEntry]:
    """Return the regular files that have the name of a log, by name."""
    try:
        names = sorted(path.name for path in log_dir.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    older = Counter(found.group(1) for name in names if (found := _OLDER.fullmatch(name)))
    entries: list[LogFileEntry] = []
    for name in filter(FILE_NAME.fullmatch, names):
        try:
            status = status_of(log_dir / name, folders=0)
        except FileNotFoundError:  # not a regular file, or just rotated
            continue
        entries.append(
            {
                "name": name,
                "size_bytes": status.st_size,
                "modified": status.st_mtime,
                "rotated": older[name],
            }
        )
    return entries
