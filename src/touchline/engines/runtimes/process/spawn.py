"""Spawning: a session of its own, nothing inherited but what is said, no shell anywhere."""

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
from touchline.engines.runtimes.process.procfs import Identity, identify, stat_of

_MARK = "TOUCHLINE_INSTANCE"
_INHERITED = ("PATH", "LANG", "TZ", "PYTHONPATH")
"""Of this server's environment; the rest is nobody's business, and may hold secrets."""

MOST_OPEN_FILES = 4096
_LIMITS = {
    resource.RLIMIT_NOFILE: MOST_OPEN_FILES,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_MEMLOCK: 64 << 10,
}
NICENESS = 5
OOM_SCORE = 500
"""Where memory runs short an engine goes before this server and its cameras."""

_NO_PROGRAM = frozenset({errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR})
_LOOKS_MS = (0, 1, 1, 2, 4, 8, 14)
"""Pauses before the looks at a new process: a tiny one already waits for clients at the first."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """A child that runs or has just ended; nobody has waited for it."""

    process: Identity
    pidfd: int


def mark_of(record_id: str) -> bytes:
    """What stands in the environment of a record's process and of all that it starts."""
    return f"{_MARK}={record_id}".encode()


def environment(
    record_id: str,
    given: Mapping[str, str],
    *,
    home: Path,
    server: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """The whole environment of a process, of which little is the server's.

    What is given never replaces that: it would decide which programs and libraries are run.
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
    """Start a program. Blocking; whoever has it waits for it.

    Raises ImageNotFound, StartFailed, OSError where the machine has nothing left to give.
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
    _restrain(child.pid)
    # It outlives this object, which must not wait for it: whoever has the descriptor does.
    child.returncode = 0
    return spawned


def _restrain(pid: int) -> None:
    """Limit what it may take: an engine must not take files, time or memory from the cameras.

    From outside, because nothing may run between fork and exec in a process with threads.
    """
    with suppress(OSError, ValueError):  # it may have ended already
        for kind, most in _LIMITS.items():
            _, hard = resource.prlimit(pid, kind)
            most_here = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, kind, (most_here, most_here))
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))


def ends_at_once(spawned: Spawned) -> bool:
    """Whether it ends before it ever waits for something. Blocking, for 30 ms at most.

    A program that cannot do its work ends without; an engine soon waits for its clients, so that
    it is not this look that makes starts slow.
    """
    poll = select.poll()
    poll.register(spawned.pidfd, select.POLLIN)
    for pause_ms in _LOOKS_MS:
        if poll.poll(pause_ms):
            return True
        stat = stat_of(spawned.process.pid)
        if stat is not None and stat.state == "S":
            return False
    return False


def wait_for(pidfd: int) -> int | None:
    """The exit code of a child that has ended, a signal's as shells tell it: 128 and its number.

    None: it is not our child, or somebody has waited for it. It does not block.
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
    """A path means the same from the process's directory; a bare name is looked for on PATH."""
    return str(Path(program).absolute()) if os.sep in program else program
