"""A limit of memory for a process and its children, where the kernel lets us set one."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

CGROUPS = Path("/sys/fs/cgroup")


class MemoryLimits:
    """Groups under `touchline/` in the memory controller. Blocking; call it in a thread."""

    def __init__(self, cgroups: Path = CGROUPS) -> None:
        self._root, self._file = _place(cgroups)
        self._said = False

    def apply(self, name: str, pid: int, limit_bytes: int) -> bool:
        """Put a process under a limit; whether that was possible. It runs on where it was not."""
        if self._root is None:
            self._say("the kernel offers no memory controller here")
            return False
        group = self._root / name
        try:
            group.mkdir(parents=True, exist_ok=True)
            (group / self._file).write_text(str(limit_bytes))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self._say(f"{group}: {error.strerror}")
            return False
        return True

    def forget(self, name: str) -> None:
        """Nothing runs in it any more."""
        if self._root is not None:
            with suppress(OSError):
                (self._root / name).rmdir()

    def _say(self, why: str) -> None:
        if not self._said:
            self._said = True
            log.warning("Memory limits of processes have no effect: %s", why)


def _place(cgroups: Path) -> tuple[Path | None, str]:
    version_1 = cgroups / "memory"
    if (version_1 / "memory.limit_in_bytes").exists():
        return version_1 / "touchline", "memory.limit_in_bytes"
    try:
        if "memory" in (cgroups / "cgroup.subtree_control").read_text().split():
            return cgroups / "touchline", "memory.max"
    except OSError:
        pass
    return None, ""
