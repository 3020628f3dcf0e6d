"""Logging to standard error for programs of touchline without the server's logging."""

from __future__ import annotations

import logging
import time
from typing import Any

from touchline.foreign import text


class OneLine(logging.Formatter):
    """Formats a record in one line, whatever it contains; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Format the line."""
        return text.shown(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Format the traceback."""
        return text.written(super().formatException(ei))


def open_log(name: str) -> None:
    """Log to stderr with times in UTC, so that lines of all logs can be compared."""
    lines = logging.StreamHandler()
    formatter = OneLine(
        f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    lines.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[lines])
