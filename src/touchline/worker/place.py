"""Exclusive lock of a camera's worker, held by one process at a time."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from pathlib import Path

from touchline.ipc.threads import watched


class Taken(Exception):
    """Another worker serves this camera."""


def take(path: Path) -> None:
    """Acquire the lock until this process ends. Raises Taken."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Taken from None


def wait_for(path: Path) -> None:
    """Acquire the lock once the worker that holds it has ended.

    The whole process exits if its standard input ends before that: its server is gone, and nothing
    else knows of this process.
    """
    taken = threading.Event()

    def leave(status: int) -> None:
        if not taken.is_set():
            os._exit(status)

    def leave_with_server() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        leave(0)

    watched(leave_with_server, name="server", died=lambda _error: leave(1)).start()
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    taken.set()
