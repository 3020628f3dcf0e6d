"""Catalogue of the logs shown by the API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from touchline.capture.logs import alertlog
from touchline.capture.logs.answers import LogTail
from touchline.capture.logs.linelog import LineLog
from touchline.capture.logs.logtail import exists, newest_lines
from touchline.core.errors import Failed, Invalid

HEALTH_FILE = "health_monitor.log"
WATCHDOG_FILE = "watchdog.log"

FILES: Mapping[str, str] = {
    "health": HEALTH_FILE,
    "alerts": alertlog.FILE_NAME,
    "watchdog": WATCHDOG_FILE,
}

LOG_TYPES = tuple(FILES)

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
        most = max(1, min(lines, MOST_LINES))
        try:
            found = await anyio.to_thread.run_sync(
                partial(_tail, self._log_dir / name, most),
                abandon_on_cancel=True,
                limiter=self._readers,
            )
        except OSError as error:
            raise Failed(
                f"The log {name} cannot be read: {error.strerror}", code="log_unreadable"
            ) from error
        if found is None:
            return {"log_type": log_type, "lines": [], "message": "Log file does not exist yet"}
        return {"log_type": log_type, "lines": found, "total_lines": len(found)}


def _tail(path: Path, most: int) -> list[str] | None:
    if not exists(path):
        return None
    return [line.strip() for line in newest_lines(path, most=most, most_bytes=MOST_BYTES)][::-1]
