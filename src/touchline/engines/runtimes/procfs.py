"""Processes as the kernel shows them. Everything here blocks for a moment: call it in a thread."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, told from any other that has or had its number. Boot, number and start time."""

    pid: int
    start_ticks: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class Stat:
    """A line of /proc/…/stat, as proc(5) describes it."""

    pid: int
    state: str
    session: int
    cpu_ticks: int
    start_ticks: int
    rss_bytes: int


def boot_id() -> str:
    """Another one after each start of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def stat_of(pid: int) -> Stat | None:
    """What the kernel says of it; None where there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name is in brackets and may hold anything, brackets and spaces included.
    rest = text[text.rindex(")") + 2 :].split()
    return Stat(
        pid=pid,
        state=rest[0],
        session=int(rest[3]),
        cpu_ticks=int(rest[11]) + int(rest[12]),
        start_ticks=int(rest[19]),
        rss_bytes=int(rest[21]) * PAGE_BYTES,
    )


def identify(pid: int, boot: str) -> Identity | None:
    """The identity of a process that runs now."""
    stat = stat_of(pid)
    return Identity(pid, stat.start_ticks, boot) if stat is not None else None


def runs(identity: Identity, boot: str) -> bool:
    """Whether exactly this process runs still, and is more than a memory of one."""
    if identity.boot_id != boot:
        return False
    stat = stat_of(identity.pid)
    return stat is not None and stat.start_ticks == identity.start_ticks and stat.state not in "ZX"


def all_stats() -> Iterator[Stat]:
    """Every process there is."""
    with os.scandir(PROC) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        if name.isdigit() and (stat := stat_of(int(name))) is not None:
            yield stat


def by_session() -> Mapping[int, list[Stat]]:
    """All processes by the session that they are in."""
    found: dict[int, list[Stat]] = {}
    for stat in all_stats():
        found.setdefault(stat.session, []).append(stat)
    return found


def kill_sessions(leaders: Collection[Identity], boot: str) -> None:
    """Kill what is left of sessions whose leaders may be gone.

    The kernel gives no process the number of a session that has members, so those that are found
    are the leader's, unless a new process has the number: then none of them is left.
    """
    sessions = set()
    for leader in leaders:
        now = stat_of(leader.pid)
        if leader.boot_id == boot and (now is None or now.start_ticks == leader.start_ticks):
            sessions.add(leader.pid)
    for stat in all_stats():
        if stat.session in sessions and stat.state not in "ZX":
            try:
                os.kill(stat.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def find_marked(name: str, value: str) -> int | None:
    """The process whose environment says `name=value` and which leads a session."""
    wanted = f"{name}={value}".encode()
    for stat in all_stats():
        if stat.session != stat.pid:
            continue
        try:
            environ = (PROC / str(stat.pid) / "environ").read_bytes()
        except OSError:
            continue
        if wanted in environ.split(b"\0"):
            return stat.pid
    return None


def io_bytes(pid: int) -> tuple[int, int] | None:
    """Bytes read from and written to disks; None where that may not be known."""
    try:
        lines = (PROC / str(pid) / "io").read_text().splitlines()
    except OSError:
        return None
    values = dict(line.split(": ") for line in lines)
    return int(values["read_bytes"]), int(values["write_bytes"])
