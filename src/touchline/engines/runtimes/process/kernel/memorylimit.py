"""Memory limit for a process and its children, where the kernel permits it."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

CGROUPS = Path("/sys/fs/cgroup")
_GROUP = "touchline"


@dataclass(frozen=True, slots=True)
class _Version:
    """File names of one cgroup version."""

    limit: str
    swap: str


_V1 = _Version("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
_V2 = _Version("memory.max", "memory.swap.max")


class MemoryLimits:
    """Groups under `touchline/` of the memory controller.

    Blocking; call it in a thread.
    """

    def __init__(self, cgroups: Path = CGROUPS) -> None:
        version_1 = (cgroups / "memory" / _V1.limit).exists()
        self._version = _V1 if version_1 else _V2
        self._parent = (cgroups / "memory" if version_1 else cgroups) / _GROUP
        self._warned = False

    def apply(self, name: str, pid: int, limit_bytes: int) -> bool:
        """Put a process under a limit, and return whether that was possible.

        Otherwise the process continues without one.
        """
        group, files = self._parent / name, self._version
        try:
            self._parent.mkdir(exist_ok=True)
            if files is _V2:
                # A group has a controller's files only if its parent delegates the controller.
                (self._parent / "cgroup.subtree_control").write_text("+memory")
            group.mkdir(exist_ok=True)
            (group / files.limit).write_text(str(limit_bytes))
            with suppress(OSError):  # not every kernel counts swap
                (group / files.swap).write_text(str(limit_bytes if files is _V1 else 0))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self.forget(name)
            self._warn_once(error)
            return False
        return True

    def limit_of(self, name: str) -> int | None:
        """Return the effective limit, as rounded by the kernel; None without one."""
        try:
            return int((self._parent / name / self._version.limit).read_text())
        except (OSError, ValueError):
            return None

    def forget(self, name: str) -> None:
        """Remove a group in which nothing runs any more."""
        with suppress(OSError):  # there was none
            (self._parent / name).rmdir()

    def _warn_once(self, error: OSError) -> None:
        if not self._warned:
            self._warned = True
            log.warning("Memory limits of processes have no effect on this machine: %s", error)
