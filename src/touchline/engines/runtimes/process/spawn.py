"""Process creation in a new session, without a shell and with explicit inheritance only."""

from __future__ import annotations

import errno
import os
import resource
import select
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from touchline.engines.model.runtime import ImageNotFound, StartFailed
from touchline.engines.runtimes.process.kernel.procfs import Identity, identify, stat_of

_MARK = "TOUCHLINE_INSTANCE"
_INHERITED = ("PATH", "LANG", "TZ", "PYTHONPATH")
"""Inherited variables of this server's environment.

The others are withheld, because they may hold secrets.
"""

MOST_OPEN_FILES = 4096
_LIMITS = {
    resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 64 << 10,
}
NICENESS = 5
"""Niceness of engines relative to this server."""
LARGEST_NICENESS = 19
OOM_SCORE = 500
"""OOM score adjustment of engines.

When memory is short an engine is killed before this server and its cameras.
"""

_NO_PROGRAM = frozenset({errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR})
_CHECK_PAUSES_MS = (0, 1, 1, 2, 4, 8, 14)
"""Pauses in milliseconds before the checks of a new process.

A small program already waits for clients at the first check.
"""


@dataclass(frozen=True, slots=True)
class Spawned:
    """Child that runs or has just ended, and has not been waited for."""

    process: Identity
    pidfd: int


def mark_of(record_id: str) -> bytes:
    """Return the mark in the environment of a record's process.

    All processes that it starts inherit it.
    """
    return f"{_MARK}={record_id}".encode()


def environment(
    record_id: str,
    given: Mapping[str, str],
    *,
    home: Path,
    server: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Return the environment of a process, with only a few of the server's variables.

    The given variables never replace the server's, which determine the programs and libraries that
    are run.
    """
    inherited = {name: server[name] for name in _INHERITED if name in server}
    return {**given, **inherited, "HOME": str(home), _MARK: record_id}


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    home: Path,
    output: IO[bytes] | int,
    boot: str,
) -> Spawned:
    """Start a program. Blocking; the caller must wait for it.

    Raises ImageNotFound, StartFailed, and OSError where the machine has no resources left.
    """
    program = _absolute(argv[0])
    try:
        child = subprocess.Popen(
            [program, *argv[1:]],
            env=dict(env),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in _NO_PROGRAM and home.is_dir():
            raise ImageNotFound(
                f"The program {program} cannot be run: {error.strerror}; nothing was started. Set"
                " engines.runtime.command or engines.runtime.programs to one that can"
            ) from error
        raise StartFailed(f"{program} could not be started: {error.strerror}") from error
    except ValueError as error:  # a NUL in an argument
        raise StartFailed(f"{program} could not be started: {error}") from error
    try:
        spawned = Spawned(_identity(child.pid, boot), os.pidfd_open(child.pid))
    except OSError:  # no more descriptors
        child.kill()
        child.wait()
        raise
    _limit_resources(child.pid)
    # The process outlives this object; the owner of the descriptor waits for it.
    child.returncode = 0
    return spawned


def _limit_resources(pid: int) -> None:
    """Limit a process's resources, so that it takes no files, time or memory from the cameras.

    Set from outside, because nothing may run between fork and exec in a process with threads.
    """
    with suppress(OSError, ValueError):  # it may have ended already
        for kind, most in _LIMITS.items():
            _, hard = resource.prlimit(pid, kind)
            most_here = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, kind, (most_here, most_here))
        niceness = os.getpriority(os.PRIO_PROCESS, pid) + NICENESS
        os.setpriority(os.PRIO_PROCESS, pid, min(LARGEST_NICENESS, niceness))
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))


def ends_at_once(spawned: Spawned) -> bool:
    """Return whether a program ends before it waits for anything. Blocking, 30 ms at most.

    A program that cannot do its work ends without waiting; an engine soon waits for its clients, so
    that this check does not make starts slow.
    """
    poll = select.poll()
    poll.register(spawned.pidfd, select.POLLIN)
    for pause_ms in _CHECK_PAUSES_MS:
        if poll.poll(pause_ms):
            return True
        stat = stat_of(spawned.process.pid)
        if stat is not None and stat.state == "S":
            return False
    return False


def wait_for(pidfd: int) -> int | None:
    """Return the exit code of a child that has ended, without blocking.

    For a signal it is 128 plus its number, as in shells. None: it is not our child, or has been
    waited for.
    """
    try:
        result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        return None
    if result is None:
        return None
    ended = result.si_code == os.CLD_EXITED
    return int(result.si_status) if ended else 128 + int(result.si_status)


def _identity(pid: int, boot: str) -> Identity:
    process = identify(pid, boot)
    if process is None:
        raise ProcessLookupError(
            errno.ESRCH, "the exit status of the child process was already collected"
        )
    return process


def _absolute(program: str) -> str:
    """Return a path as absolute, so that it is valid in the process's directory.

    A bare name is searched on PATH.
    """
    return str(Path(program).absolute()) if os.sep in program else program
