"""Processes of a bench: started, waited for, ended, and what they cost."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LOOK_S = 0.002


class NotInTime(RuntimeError):
    """What a bench waited for did not come."""


def wait_for(
    what: str, look: Callable[[], T | None], *, within_s: float = 30.0, every_s: float = LOOK_S
) -> T:
    """The first value of `look` that is neither None nor False. Raises NotInTime."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise NotInTime(f"no {what} within {within_s:g} s")
        time.sleep(every_s)


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time that these processes have used, to the microsecond; their children's not.

    The kernel's process clocks count in nanoseconds, where /proc counts in hundredths of a second.
    """
    return sum(time.clock_gettime_ns(_cpu_clock(pid)) for pid in pids) / 1e9


def _cpu_clock(pid: int) -> int:
    return (~pid << 3) | 2  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel


def workers_of(runtime_dir: Path) -> list[int]:
    """The camera workers that keep their sockets in this directory, adopted ones included."""
    return _programs_of(runtime_dir, b"touchline.worker")


def helpers_of(runtime_dir: Path) -> list[int]:
    """Whatever else a server has started that keeps its socket there: the live process."""
    return _programs_of(runtime_dir, b"touchline.live")


def _programs_of(runtime_dir: Path, module: bytes) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().split(b"\0")
                if module in command and os.fsencode(runtime_dir) in command:
                    found.append(int(entry.name))
    return sorted(found)


def first_line(process: subprocess.Popen[bytes], *, within_s: float = 120.0) -> str:
    """The first line the process prints; empty when it ends before. Raises NotInTime."""
    if process.stdout is None:
        raise ValueError("the process has no pipe to read from")
    if not select.select([process.stdout], [], [], within_s)[0]:
        raise NotInTime(f"{process.args!r} printed nothing within {within_s:g} s")
    return process.stdout.readline().decode().strip()


def end(process: subprocess.Popen[bytes], *, number: int = signal.SIGTERM) -> None:
    """Ask it to leave; kill it when it does not. What has ended already is fine."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def running(
    command: list[str], *, log: Path | None = None, number: int = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone at the end of the block; what it says goes to `log`."""
    with contextlib.ExitStack() as stack:
        output = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab"))
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            end(process, number=number)
