"""How programs of ours without the server's logging write to standard error."""

from __future__ import annotations

import logging
import time
from typing import Any

from touchline.foreign import text


class OneLine(logging.Formatter):
    """Writes a record in one line, whatever it quotes; a traceback below it keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Write the line."""
        return text.shown(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Write the traceback."""
        return text.written(super().formatException(ei))


def open_log(name: str) -> None:
    """Log to stderr in UTC with its zone, so that lines of all logs can be compared."""
    lines = logging.StreamHandler()
    formatter = OneLine(
        f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    lines.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[lines])
