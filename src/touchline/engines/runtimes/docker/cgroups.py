"""Kernel counters of a container, read from its files in a tenth of a millisecond each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
PROCESSES = Path("/proc")

NO_LIMIT_BYTES = 1 << 60
"""Limit from which a value means no limit; cgroup v1 reports a huge number then."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals since the container's start; None: not known."""

    cpu_ns: int
    memory_bytes: int
    memory_limit_bytes: int | None
    network_rx_bytes: int | None
    network_tx_bytes: int | None
    block_read_bytes: int | None
    block_write_bytes: int | None


def read_counters(
    container: str, *, own_network: bool, cgroups: Path = CGROUPS, processes: Path = PROCESSES
) -> Counters | None:
    """Return the counters of a Docker container by its full id; None if not on this machine.

    A container that shares the network of another has no network traffic of its own.
    """
    for read in (_version_2, _version_1):
        for place in (f"docker/{container}", f"system.slice/docker-{container}.scope"):
            try:
                return read(cgroups, place, processes if own_network else None)
            except (OSError, ValueError, LookupError):
                continue  # another version or driver, or it ended while we read
    return None


def _version_2(cgroups: Path, place: str, processes: Path | None) -> Counters:
    folder = cgroups / place
    received, sent = _traffic(folder, processes)
    limit = (folder / "memory.max").read_text().strip()
    read, written = _v2_blocks((folder / "io.stat").read_text())
    memory = int((folder / "memory.current").read_text())
    return Counters(
        cpu_ns=_table(folder / "cpu.stat")["usage_usec"] * 1000,
        memory_bytes=max(0, memory - _table(folder / "memory.stat").get("inactive_file", 0)),
        memory_limit_bytes=None if limit == "max" else int(limit),
        network_rx_bytes=received,
        network_tx_bytes=sent,
        block_read_bytes=read,
        block_write_bytes=written,
    )


def _version_1(cgroups: Path, place: str, processes: Path | None) -> Counters:
    memory = cgroups / "memory" / place
    received, sent = _traffic(memory, processes)
    limit = int((memory / "memory.limit_in_bytes").read_text())
    # The kernel reclaims inactive page cache on demand.
    idle = _table(memory / "memory.stat").get("total_inactive_file", 0)
    read, written = _v1_blocks(cgroups / "blkio" / place)
    return Counters(
        cpu_ns=int((cgroups / "cpuacct" / place / "cpuacct.usage").read_text()),
        memory_bytes=max(0, int((memory / "memory.usage_in_bytes").read_text()) - idle),
        memory_limit_bytes=None if limit >= NO_LIMIT_BYTES else limit,
        network_rx_bytes=received,
        network_tx_bytes=sent,
        block_read_bytes=read,
        block_write_bytes=written,
    )


def _table(file: Path) -> Mapping[str, int]:
    rows = (line.split() for line in file.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2}


def _v2_blocks(text: str) -> tuple[int, int]:
    """Return bytes read and written from `8:0 rbytes=1 wbytes=2 rios=…`, a line for each disk."""
    read = written = 0
    for word in text.split():
        name, _, number = word.partition("=")
        read += int(number) if name == "rbytes" else 0
        written += int(number) if name == "wbytes" else 0
    return read, written


def _v1_blocks(folder: Path) -> tuple[int | None, int | None]:
    """Return bytes read and written from `8:0 Read 1`, lines for each disk.

    Not every kernel counts them.
    """
    try:
        text = (folder / "blkio.throttle.io_service_bytes").read_text()
    except OSError:
        return None, None
    read = written = 0
    for line in text.splitlines():
        row = line.split()
        if len(row) == 3:
            read += int(row[2]) if row[1] == "Read" else 0
            written += int(row[2]) if row[1] == "Write" else 0
    return read, written


def _traffic(cgroup: Path, processes: Path | None) -> tuple[int | None, int | None]:
    """Return bytes received and sent by all interfaces but the loopback.

    They are those of the container's first process.
    """
    if processes is None:
        return None, None
    try:
        first = (cgroup / "cgroup.procs").read_text().split()[0]
        lines = (processes / first / "net" / "dev").read_text().splitlines()[2:]
    except (OSError, IndexError):
        return None, None
    received = sent = 0
    for line in lines:
        name, _, numbers = line.partition(":")
        row = numbers.split()
        if name.strip() != "lo" and len(row) >= 9:
            received, sent = received + int(row[0]), sent + int(row[8])
    return received, sent
