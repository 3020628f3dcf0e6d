"""Plain-text line log, written by its own thread and rotated by size.

Writing a line is neither delayed nor failed by the disk: lines wait in memory, at most
`MAX_WAITING` of them with the oldest dropped first, and are retried while the disk refuses.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread

from touchline.foreign.files import open_private, status_of
from touchline.foreign.text import shown

MAX_FILE_BYTES = 5 << 20
KEPT_FILES = 5
MAX_WAITING = 1000
RETRY_EVERY_S = 5.0
REMEMBERED = 100
CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class LineLog:
    """Log that appends lines to `path`; `write` never blocks or fails, on any thread.

    Use `open_line_log`; it also writes pending lines when the server closes.
    """

    def __init__(
        self,
        path: Path,
        *,
        synced: bool = False,
        max_file_bytes: int = MAX_FILE_BYTES,
        retry_every_s: float = RETRY_EVERY_S,
    ) -> None:
        """Create a log; with `synced`, written lines survive a power cut."""
        self.path = path
        self.lost = 0
        """Number of lines dropped because the file could not be written for too long."""
        self._newest: deque[bytes] = deque(maxlen=REMEMBERED)
        self._written = 0
        self._synced = synced
        self._max_file_bytes = max_file_bytes
        self._retry_every_s = retry_every_s
        self._waiting: deque[bytes] = deque()
        self._woken = threading.Condition()
        self._closing = False
        self._refused = False
        self._thread = threading.Thread(target=self._write_pending, name=path.name, daemon=True)

    def write(self, line: bytes) -> None:
        """Queue a line with its newline."""
        with self._woken:
            if len(self._waiting) >= MAX_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(line)
            self._newest.append(line)
            self._written += 1
            self._woken.notify()

    def newest(self) -> tuple[list[str], int]:
        """Return the newest lines since the start of this server, and their total number."""
        with self._woken:
            lines, written = list(self._newest), self._written
        return [line.decode("utf-8", "replace").strip() for line in lines], written

    def start(self) -> None:
        """Start the writing thread. Lines queued before wait for it."""
        self._thread.start()

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
        """Write pending lines and end the thread.

        A disk that hangs is abandoned at the timeout.
        """
        with self._woken:
            self._closing = True
            self._woken.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive() or self._waiting:
            log.error("%d lines could not be written to %s", len(self._waiting), self.path)

    def _write_pending(self) -> None:
        while True:
            with self._woken:
                if not self._waiting and not self._closing:
                    self._woken.wait()
                lines = list(self._waiting)
                closing = self._closing
            written = self._append(lines)
            with self._woken:
                # Fewer than `lines` may be pending if the oldest were dropped meanwhile.
                if written:
                    for line in lines:
                        if self._waiting and self._waiting[0] is line:
                            self._waiting.popleft()
                if closing and (not written or not self._waiting):
                    return
                if not written:
                    self._woken.wait_for(lambda: self._closing, self._retry_every_s)

    def _append(self, lines: list[bytes]) -> bool:
        if not lines:
            return True
        data = b"".join(lines)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            turn_over(self.path, self._max_file_bytes - len(data))
            _append_whole(self.path, data, synced=self._synced)
        except Exception as error:  # noqa: BLE001  (later lines are still written)
            if not self._refused:
                log.warning("cannot write %s, keeping lines in memory: %s", self.path, error)
            self._refused = True
            return False
        self._refused = False
        return True


@asynccontextmanager
async def open_line_log(path: Path) -> AsyncIterator[LineLog]:
    """Open a line log that is written while the server runs."""
    lines = LineLog(path)
    lines.start()
    try:
        yield lines
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lines.close)


def format_line(at: datetime, text: str) -> bytes:
    """Return a line of the contract's plain logs, `[YYYY-MM-DD HH:MM:SS] text`, in UTC.

    The result is always one line, whatever the text contains.
    """
    one_line = shown(" ".join(text.split()))
    line = f"[{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}] {one_line}\n"
    return line.encode()


def turn_over(path: Path, max_bytes: int, *, kept: int = KEPT_FILES) -> None:
    """Rotate `path` into the newest of `kept` older files if it has more than `max_bytes`.

    An empty file stays, however small the limit is. Raises OSError.
    """
    try:
        size_bytes = status_of(path, folders=0).st_size
    except FileNotFoundError:
        return
    if size_bytes == 0 or size_bytes <= max_bytes:
        return
    for number in range(kept - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))


def _append_whole(path: Path, data: bytes, *, synced: bool) -> None:
    """Append all of `data` or nothing: a partial line would corrupt the next one."""
    file = open_private(path, os.O_WRONLY | os.O_APPEND, folders=0)
    try:
        before_bytes = os.fstat(file).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(file, data[written:])
            if synced:
                os.fdatasync(file)
        except OSError:
            os.ftruncate(file, before_bytes)
            raise
    finally:
        os.close(file)
