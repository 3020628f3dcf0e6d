"""The server's own log: text on a terminal, JSON lines otherwise.

Records go into a bounded queue and are written by a thread, so that a slow disk or a stopped
terminal never blocks the event loop. Files are always JSON lines: `touchline.log` has everything,
`error.log` errors only.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

from pythonjsonlogger.core import BaseJsonFormatter

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
    "color_message",  # uvicorn's message again, for its own console handler
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
    """Write log records to `stream` (stderr) and to rotated files in `directory` during the block.

    If the directory cannot be written, a warning is logged and logging continues without files.
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
    front = _QueueingHandler()
    writer = _QueueWriter(front, handlers)
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    root.setLevel(level.upper())
    root.handlers = [front]
    # uvicorn logs every request at INFO: status polls ten times a second would fill the log.
    access = logging.getLogger("uvicorn.access")
    access_before = access.level
    access.setLevel(logging.DEBUG if root.level <= logging.DEBUG else logging.WARNING)
    writer.start()
    if complaint is not None:
        logging.getLogger(__name__).warning("No log files in %s: %s", directory, complaint)
    try:
        yield
    finally:
        root.setLevel(before[0])
        root.handlers = before[1]
        access.setLevel(access_before)
        writer.stop()
        front.close()
        for handler in handlers:
            handler.close()


class TextFormatter(logging.Formatter):
    """Formats lines like `2026-02-11T19:10:41.266Z INFO    recording: Started match_id=final`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, followed by the traceback if there is one."""
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        source = record.name.removeprefix("touchline.")
        head = f"{iso_utc(record.created)} {record.levelname:<7} {source}:"
        line = text.shown(f"{head} {record.getMessage()}{extra}")
        trace = text.written(_trace(record))
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(BaseJsonFormatter):
    """Formats one JSON object a line: ts, level, logger, message, `extra` fields, exception."""

    def __init__(self) -> None:
        super().__init__(
            fmt=("created", "levelname", "name", "message"),
            rename_fields={
                "created": "ts",
                "levelname": "level",
                "name": "logger",
                "exc_info": "exception",
            },
            reserved_attrs=sorted(_STANDARD | {"ts", "level", "logger", "exception"}),
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Format the time and the level as elsewhere in this server."""
        return {**log_data, "ts": iso_utc(log_data["ts"]), "level": log_data["level"].lower()}

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return one line, whatever the message contains."""
        return text.json_line(log_data)


def iso_utc(unix_s: float) -> str:
    """Format a time in UTC with milliseconds and its zone: `2026-02-11T19:10:41.266Z`."""
    at = datetime.fromtimestamp(unix_s, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class _QueueingHandler(QueueHandler):
    """Queues records; the only handler the event loop calls. A full queue drops and counts them."""

    queue: queue.Queue[logging.LogRecord]

    def __init__(self) -> None:
        super().__init__(queue.Queue(QUEUE_RECORDS))
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return a copy that holds only text, so that later changes have no effect on it."""
        kept = copy(record)
        kept.msg = record.getMessage()
        kept.args = None
        kept.exc_text = _trace(record)
        kept.exc_info = None
        kept.stack_info = None
        return kept

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record without waiting."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _QueueWriter(QueueListener):
    """Writes queued records from a thread, and logs how many were dropped."""

    _thread: threading.Thread | None

    def __init__(self, front: _QueueingHandler, handlers: list[logging.Handler]) -> None:
        super().__init__(front.queue, *handlers, respect_handler_level=True)
        self._front = front

    def handle(self, record: logging.LogRecord) -> None:
        """Write one record."""
        super().handle(record)
        if self._front.dropped and self._front.queue.empty():
            dropped, self._front.dropped = self._front.dropped, 0
            lost = f"{dropped} log lines were dropped: the log could not be written fast enough"
            fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
            super().handle(logging.makeLogRecord({**fields, "msg": lost}))

    def stop(self) -> None:
        """Write queued records; a disk or terminal that hangs is abandoned after a timeout."""
        thread, self._thread = self._thread, None
        with suppress(queue.Full):
            self._front.queue.put(self._sentinel, timeout=CLOSE_TIMEOUT_S)  # type: ignore[attr-defined]
        if thread is not None:
            thread.join(CLOSE_TIMEOUT_S)


class _ReportsErrors(logging.Handler):
    """Reports on stderr, once a minute and without a traceback, that it cannot write."""

    _reported_s = -COMPLAIN_EVERY_S

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Report a write error. Called by the standard library inside `except`."""
        now_s = time.monotonic()
        if now_s - self._reported_s >= COMPLAIN_EVERY_S:
            self._reported_s = now_s
            error = sys.exc_info()[1]
            try:
                sys.stderr.write(f"{iso_utc(record.created)} the log cannot be written: {error}\n")
            except (OSError, ValueError):
                return  # stderr cannot be written either


class _Console(_ReportsErrors, logging.StreamHandler[TextIO]):
    pass


class _File(_ReportsErrors, RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        """Open the log file, which must be a regular file. Raises OSError."""
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
