"""Files for what programs print, which must not prevent a program from starting."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import anyio
import anyio.to_thread

from touchline.capture.logs.linelog import MAX_FILE_BYTES, turn_over
from touchline.core import patience
from touchline.foreign.files import open_private

log = logging.getLogger(__name__)

_WAIT_S = 2.0


async def open_output(path: Path) -> int:
    """Open a program's log for appending and return its descriptor.

    If the disk of the log is full, read-only, missing or stalled, what the program prints is lost,
    and the program runs.
    """
    opening = _Opening(path)
    try:
        with patience.move_on_after(_WAIT_S):
            return await anyio.to_thread.run_sync(opening.run, abandon_on_cancel=True)
        reason = f"its disk did not answer within {_WAIT_S:g} s"
    except OSError as error:
        reason = error.strerror or str(error)
    finally:
        opening.abandoned.set()
    log.error("%s cannot be opened, so nothing is logged there: %s", path, reason)
    return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


class _Opening:
    """One attempt to open a log, on a thread that a stalled disk may hold up."""

    def __init__(self, path: Path) -> None:
        self.abandoned = threading.Event()
        self._path = path

    def run(self) -> int:
        """Open the log. Raises OSError."""
        descriptor = _open(self._path)
        if self.abandoned.is_set():
            os.close(descriptor)
        return descriptor


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        turn_over(path, MAX_FILE_BYTES)
    except OSError as error:  # a log that is too long must not prevent a start
        log.warning("%s cannot be rotated: %s", path, error)
    return open_private(path, os.O_WRONLY | os.O_APPEND, folders=0)
