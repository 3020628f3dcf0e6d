"""Operations on processes by id: peer of a socket, liveness, kill."""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
from pathlib import Path

log = logging.getLogger(__name__)


def peer_pid(connection: socket.socket) -> int:
    """Return the process at the other end of a Unix socket, as the kernel knows it."""
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def kill(pid: int | None) -> None:
    """Kill a process; one that has already ended, or None, is not an error."""
    if pid is not None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            log.info("process %d had already exited", pid)


def is_alive(pid: int) -> bool:
    """Return whether the process is running; a zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
