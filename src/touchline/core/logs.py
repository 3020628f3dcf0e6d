"""The server's own log: text for people on a terminal, JSON lines otherwise.

Everything that is logged goes into a bounded queue and is written by a thread, so that a slow disk
or a stopped terminal never holds up the event loop. Files are always JSON lines: `touchline.log`
has everything, `error.log` errors only.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from touchline.foreign import text
from touchline.foreign.files import open_private

Format = Literal["auto", "text", "json"]

QUEUE_RECORDS = 10_000
FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5
CLOSE_TIMEOUT_S = 2.0
COMPLAIN_EVERY_S = 60.0

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",  # uvicorn's message once more, for its own console handler
    "message",
    "taskName",
}


@contextmanager
def open_logs(
    level: str = "info",
    *,
    directory: Path | None = None,
    format: Format = "auto",  # noqa: A002
    stream: TextIO | None = None,
) -> Iterator[None]:
    """Everything logged meanwhile goes to `stream` (stderr) and to rotated files in `directory`.

    Where the directory cannot be written, logging goes on without files and says so.
    """
    console = sys.stderr if stream is None else stream
    as_text = format == "text" or (format == "auto" and console.isatty())
    shown = _Console(console)
    shown.setFormatter(TextFormatter() if as_text else JsonFormatter())
    handlers: list[logging.Handler] = [shown]
    complaint: OSError | None = None
    if directory is not None:
        try:
            handlers += _files(directory)
        except OSError as error:
            complaint = error
    front = _Front(handlers)
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    root.setLevel(level.upper())
    root.handlers = [front]
    # uvicorn says every request at INFO: a status poll ten times a second would be the whole log.
    access = logging.getLogger("uvicorn.access")
    access_before = access.level
    access.setLevel(logging.DEBUG if root.level <= logging.DEBUG else logging.WARNING)
    front.start()
    if complaint is not None:
        logging.getLogger(__name__).warning("No log files in %s: %s", directory, complaint)
    try:
        yield
    finally:
        root.setLevel(before[0])
        root.handlers = before[1]
        access.setLevel(access_before)
        front.close()
        for handler in handlers:
            handler.close()


class TextFormatter(logging.Formatter):
    """A line such as `2026-02-11T19:10:41.266Z INFO    recording: Started match_id=final`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback below it where there is one."""
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        source = record.name.removeprefix("touchline.")
        head = f"{iso_utc(record.created)} {record.levelname:<7} {source}:"
        line = text.shown(f"{head} {record.getMessage()}{extra}")
        trace = text.written(_trace(record))
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, message, what was passed as `extra`, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Always one line, whatever the message holds."""
        line: dict[str, Any] = {
            "ts": iso_utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _extra(record).items():
            line.setdefault(name, value)
        if trace := _trace(record):
            line["exception"] = trace
        return text.json_line(line)


def iso_utc(unix_s: float) -> str:
    """UTC with milliseconds and its zone: `2026-02-11T19:10:41.266Z`."""
    at = datetime.fromtimestamp(unix_s, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class _Front(QueueHandler):
    """The only handler the loop ever touches. A full queue drops the record and counts it."""

    def __init__(self, behind: list[logging.Handler]) -> None:
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(QUEUE_RECORDS)
        super().__init__(self._records)
        self._behind = behind
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy that holds only text: nothing changes or stays alive until it is written."""
        kept = copy(record)
        kept.msg = record.getMessage()
        kept.args = None
        kept.exc_text = _trace(record)
        kept.exc_info = None
        kept.stack_info = None
        return kept

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            self._records.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits; a disk or terminal that hangs is not waited for."""
        try:
            self._records.put(None, timeout=CLOSE_TIMEOUT_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_TIMEOUT_S)
        super().close()

    def _write(self) -> None:
        while (record := self._records.get()) is not None:
            self._hand(record)
            if self._dropped and self._records.empty():
                dropped, self._dropped = self._dropped, 0
                lost = f"{dropped} log lines were dropped: the log could not be written fast enough"
                self._hand(
                    logging.makeLogRecord(
                        {
                            "name": __name__,
                            "levelno": logging.WARNING,
                            "levelname": "WARNING",
                            "msg": lost,
                        }
                    )
                )

    def _hand(self, record: logging.LogRecord) -> None:
        for handler in self._behind:
            if record.levelno >= handler.level:
                handler.handle(record)


if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:  # before Python 3.11 it cannot be subscripted
    _StreamHandler = logging.StreamHandler


class _Grumbles(logging.Handler):
    """Says once a minute on stderr that it cannot write, not a traceback for every record."""

    _said_s = -COMPLAIN_EVERY_S

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Called by the standard library inside `except`."""
        now_s = time.monotonic()
        if now_s - self._said_s >= COMPLAIN_EVERY_S:
            self._said_s = now_s
            error = sys.exc_info()[1]
            try:
                sys.stderr.write(f"{iso_utc(record.created)} the log cannot be written: {error}\n")
            except (OSError, ValueError):
                return  # nobody is left to be told


class _Console(_Grumbles, _StreamHandler):
    pass


class _File(_Grumbles, RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        """Open the file of that name, which must be a regular one. Raises OSError."""
        descriptor = open_private(self.baseFilename, os.O_WRONLY | os.O_APPEND, folders=0)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)


def _files(directory: Path) -> list[logging.Handler]:
    directory.mkdir(parents=True, exist_ok=True)
    made: list[logging.Handler] = []
    for name, level in (("touchline.log", logging.NOTSET), ("error.log", logging.ERROR)):
        handler = _File(
            directory / name, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
        handler.setLevel(level)
        handler.setFormatter(JsonFormatter())
        made.append(handler)
    return made


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _trace(record: logging.LogRecord) -> str:
    parts = [record.exc_text or ""]
    if record.exc_info and not record.exc_text:
        parts = [logging.Formatter().formatException(record.exc_info)]
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(part for part in parts if part)
