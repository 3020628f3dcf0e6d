"""Spawning: a session of its own, nothing inherited but what is said, no shell anywhere."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from touchline.engines.runtimes.protocol import ImageNotFound, StartFailed

INSTANCE = "TOUCHLINE_INSTANCE"
"""In the environment of each process: the id of its record."""

_INHERITED = ("PATH", "HOME", "LANG", "TZ", "PYTHONPATH")
"""Of this server's environment; the rest is nobody's business, and may hold secrets."""


def environment(record_id: str, given: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, **given, INSTANCE: record_id}


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], home: Path, log: Path
) -> subprocess.Popen[bytes]:
    """The child, which runs or has just ended. Raises ImageNotFound, StartFailed. Blocking."""
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR}:
            raise ImageNotFound(
                f"The program {argv[0]} cannot be run: {error.strerror}. Set"
                " engines.runtime.command or engines.runtime.programs to one that can"
            ) from error
        raise StartFailed(f"{argv[0]} could not be started: {error.strerror}") from error
    except ValueError as error:  # a NUL in an argument
        raise StartFailed(f"{argv[0]} could not be started: {error}") from error


def signal_session(pidfd: int, pid: int, number: int) -> None:
    """Send a signal to a leader and its group, as long as the leader exists. Blocking."""
    try:
        # Through the descriptor first: it fails where the number belongs to another by now.
        signal.pidfd_send_signal(pidfd, 0)
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
