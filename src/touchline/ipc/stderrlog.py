"""Logging to standard error for programs of touchline without the server's logging.

Standard error is a file on a disk that may stall. Lines are written by a thread of their own, so
that no thread of a program waits for that disk, above all none that records.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from typing import Any

from touchline.foreign import text
from touchline.ipc.threads import watched

WAITING_LINES = 1000
FLUSH_S = 2.0
"""Seconds that the end of a program waits for its last lines."""


class OneLine(logging.Formatter):
    """Formats a record in one line, whatever it contains; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Format the line."""
        return text.shown(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Format the traceback."""
        return text.written(super().formatException(ei))


class BackgroundHandler(logging.Handler):
    """Writes lines to a descriptor in the background; from any thread, without waiting.

    If the descriptor accepts nothing, at most `WAITING_LINES` wait. Further ones are dropped and
    counted, and the number is logged later.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._news = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._is_writing = False
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001  (a wrong message must not end who logs it)
            self.handleError(record)
            return
        with self._news:
            if len(self._lines) >= WAITING_LINES:
                self._dropped += 1
                return
            self._lines.append(line)
            self._news.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._begin()

    def _begin(self) -> None:
        thread = watched(self._write_lines, name="log", died=lambda _error: None)
        try:
            thread.start()
        except RuntimeError:
            return  # no more threads: the next line tries again
        self._thread = thread

    def _write_lines(self) -> None:
        while True:
            with self._news:
                self._is_writing = False
                self._news.notify_all()
                self._news.wait_for(lambda: self._lines)
                line, self._is_writing = self._lines.popleft(), True
            self._write(line)
            if self._dropped and not self._lines:
                self._report_dropped()

    def _report_dropped(self) -> None:
        with self._news:
            dropped, self._dropped = self._dropped, 0
        lost = f"{dropped} log lines were dropped: the log could not be written fast enough"
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
        self.emit(logging.makeLogRecord({**fields, "msg": lost}))

    def _write(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            try:
                # Not through sys.stderr, whose lock would hold up the end of the process.
                view = view[os.write(self._descriptor, view) :]
            except OSError:
                return  # a full disk: there is nowhere left to report it

    def flush(self) -> None:
        """Wait until all lines are written, at most `FLUSH_S`."""
        with self._news:
            self._news.wait_for(lambda: not (self._lines or self._is_writing), FLUSH_S)


def open_log(name: str) -> None:
    """Log to stderr with times in UTC, so that lines of all logs can be compared."""
    stderr = sys.__stderr__
    lines = BackgroundHandler(
        os.open(os.devnull, os.O_WRONLY) if stderr is None else stderr.fileno()
    )
    formatter = OneLine(
        f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    lines.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[lines])


def _descriptor() -> int:
    """Return standard error, or the null device if the program was started without it."""
    stderr = sys.__stderr__
    return os.open(os.devnull, os.O_WRONLY) if stderr is None else stderr.fileno()
