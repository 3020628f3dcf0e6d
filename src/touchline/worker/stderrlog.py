"""How programs of ours without the server's logging write to standard error."""

from __future__ import annotations

import logging
import time


def open_log(name: str) -> None:
    """Log to stderr in UTC with its zone, so that other logs' lines can be held against these."""
    lines = logging.StreamHandler()
    formatter = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    lines.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[lines])
