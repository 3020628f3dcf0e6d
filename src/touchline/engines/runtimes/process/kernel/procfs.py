"""Processes as reported by the kernel.

Everything here blocks for a moment: call it in a thread.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_MAX_SCANS = 10
"""Number of searches for a program that forks while it is killed."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Unique identity of a process: PID, start time and boot id.

    It distinguishes the process from any other with the same PID.
    """

    pid: int
    start_ticks: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """Line of /proc/…/stat, as described by proc(5)."""

    pid: int
    state: str
    session: int
    cpu_ticks: int
    """Processor ticks of the process, and of its children that have ended."""
    start_ticks: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Remains:
    """Possible remains of a process: its session, and processes that inherited its mark."""

    leader: Identity
    mark: bytes
    """`NAME=value`, as it is found in an environment."""


def boot_id() -> str:
    """Return the boot id, which changes with each start of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def stat_of(pid: int) -> ProcessStat | None:
    """Return the kernel's data of a process; None if it does not exist."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name is in brackets and may hold anything, brackets and spaces included.
    rest = text[text.rindex(")") + 2 :].split()
    return ProcessStat(
        pid=pid,
        state=rest[0],
        session=int(rest[3]),
        cpu_ticks=sum(map(int, rest[11:15])),
        start_ticks=int(rest[19]),
        rss_bytes=int(rest[21]) * PAGE_BYTES,
    )


def identify(pid: int, boot: str) -> Identity | None:
    """Return the identity of the process that has this PID now."""
    stat = stat_of(pid)
    return Identity(pid, stat.start_ticks, boot) if stat is not None else None


def descriptor_of(identity: Identity, boot: str) -> int | None:
    """Return a descriptor of exactly this process; None if it no longer runs."""
    if identity.boot_id != boot:
        return None
    try:
        pidfd = os.pidfd_open(identity.pid)
    except OSError:
        return None
    # Read after opening the descriptor: from then on a reuse of the PID is detected.
    stat = stat_of(identity.pid)
    if stat is not None and stat.start_ticks == identity.start_ticks and stat.state not in "ZX":
        return pidfd
    os.close(pidfd)
    return None


def all_stats() -> Iterator[ProcessStat]:
    """Yield all processes."""
    with os.scandir(PROC) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        if name.isdigit() and (stat := stat_of(int(name))) is not None:
            yield stat


def by_session() -> Mapping[int, list[ProcessStat]]:
    """Return all processes by their session."""
    found: dict[int, list[ProcessStat]] = {}
    for stat in all_stats():
        found.setdefault(stat.session, []).append(stat)
    return found


def has_mark(pid: int, marks: Collection[bytes]) -> bool:
    """Return whether a process's initial environment contains one of these marks."""
    try:
        environ = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return not frozenset(marks).isdisjoint(environ.split(b"\0"))


def find_leader(mark: bytes, boot: str) -> Identity | None:
    """Return the first process with this mark that leads a session.

    Its children may have the mark too.
    """
    found = [
        stat
        for stat in all_stats()
        if stat.session == stat.pid and stat.state not in "ZX" and has_mark(stat.pid, [mark])
    ]
    first = min(found, key=lambda stat: stat.start_ticks, default=None)
    return Identity(first.pid, first.start_ticks, boot) if first is not None else None


def kill_remains(remains: Collection[Remains], boot: str) -> None:
    """Kill these processes and all their remains."""
    here = [each for each in remains if each.leader.boot_id == boot]
    for _ in range(_MAX_SCANS):
        if not [stat for stat in left_of(here, all_stats()) if _kill(stat)]:
            return


def left_of(remains: Collection[Remains], stats: Iterable[ProcessStat]) -> Iterator[ProcessStat]:
    """Yield the processes that belong to the remains.

    The kernel does not reuse the id of a session that has members, so processes in a session with a
    leader's PID are the leader's, unless a new process has that PID: then none of them is left.
    """
    leaders = {each.leader.pid: each.leader.start_ticks for each in remains}
    marks = frozenset(each.mark for each in remains)
    earliest = min(leaders.values(), default=0)
    found = list(stats) if remains else []
    for stat in found:
        if leaders.get(stat.pid, stat.start_ticks) != stat.start_ticks:
            del leaders[stat.pid]
    for stat in found:
        # A process older than the oldest leader cannot descend from any of them.
        if stat.state in "ZX" or stat.start_ticks < earliest:
            continue
        if stat.session in leaders or has_mark(stat.pid, marks):
            yield stat


def _kill(stat: ProcessStat) -> bool:
    """Kill exactly the process that was seen, and return whether it still existed."""
    try:
        pidfd = os.pidfd_open(stat.pid)
    except OSError:
        return False
    try:
        now = stat_of(stat.pid)
        if now is None or now.start_ticks != stat.start_ticks or now.state in "ZX":
            return False
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(pidfd)
    return True


def io_bytes(pid: int) -> tuple[int, int] | None:
    """Return bytes read from and written to disks; None without permission."""
    try:
        lines = (PROC / str(pid) / "io").read_text().splitlines()
    except OSError:
        return None
    values = dict(line.split(": ") for line in lines)
    return int(values["read_bytes"]), int(values["write_bytes"])
