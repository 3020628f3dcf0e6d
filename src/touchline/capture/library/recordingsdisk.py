"""Check that the recordings are on the expected disk before anything is created there.

If a disk is not mounted, its mount point is a folder on the system's disk, which must not be
recorded to. The mount point under which the recordings were found is kept in the data directory;
from then on they are only ever created there. To move them elsewhere, remove that file.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from touchline.capture.library.wholefile import write_whole
from touchline.media.storage.disk import ERROR, GONE, READ_ONLY
from touchline.media.storage.mounts import Mount, mount_of, read_mounts

log = logging.getLogger(__name__)

FILE_NAME = "recordings-disk.json"
FSTAB = Path("/etc/fstab")
_LARGEST_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class DiskFault:
    """Reason why recording is not possible: a state of `worker.disk`, the fault and the fix."""

    state: str
    message: str
    mend: str


def judge(
    root: Path,
    mounts: Iterable[Mount],
    *,
    remembered: str | None,
    fstab: Iterable[str],
    require_mount: bool,
) -> DiskFault | None:
    """Return the fault if the expected disk is not mounted under the recordings. Pure.

    `remembered` is the mount point under which they were last, `fstab` those that are mounted at
    every start of the machine.
    """
    mounts = list(mounts)
    point = disk_point(root, mounts) or "/"
    known = {mount.point for mount in mounts if not _is_system(mount, mounts)}
    if remembered not in {None, "/", point} and remembered not in known:
        return DiskFault(
            GONE,
            f"The recordings disk is not mounted: {root} used to be on {remembered}, where"
            " nothing is mounted now",
            f"mount {remembered}; or remove {FILE_NAME} from the data directory to record on"
            f" the disk of {point} from now on",
        )
    missing = [each for each in fstab if _holds(each, root) and each not in known]
    if missing:
        nearest = max(missing, key=len)
        if len(nearest) > len(point):
            return DiskFault(
                GONE,
                f"The recordings disk is not mounted: /etc/fstab has an entry for {nearest}",
                f"mount {nearest}",
            )
    if require_mount and point == "/":
        return DiskFault(
            GONE,
            f"{root} is on the system disk, and capture.require_mount requires another one",
            "mount the recordings disk, or set capture.require_mount = false",
        )
    return None


def disk_point(root: Path, mounts: Iterable[Mount]) -> str:
    """Return the mount point of the recordings' disk; empty on the system's disk.

    A bind mount of a system's folder, as systemd makes them for a service, is not another disk.
    """
    mounts = list(mounts)
    here = mount_of(root, mounts)
    return "" if here is None or _is_system(here, mounts) else here.point


def _is_system(mount: Mount, mounts: Iterable[Mount]) -> bool:
    return any(each.point == "/" and each.device == mount.device for each in mounts)


def _holds(point: str, path: Path) -> bool:
    return point != "/" and (str(path) == point or str(path).startswith(point.rstrip("/") + "/"))


def fstab_points(text: str) -> list[str]:
    """Return the mount points of fstab(5) that are mounted at boot."""
    points = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith("#") or not fields[1].startswith("/"):
            continue
        if "noauto" not in fields[3].split(","):
            points.append(fields[1].replace("\\040", " "))
    return points


class RecordingsDisk:
    """Disk of the recordings. Every method blocks: call it in a thread."""

    def __init__(
        self,
        root: Path,
        data_dir: Path,
        *,
        require_mount: bool,
        mounts: Callable[[], list[Mount]] = read_mounts,
        fstab: Path = FSTAB,
    ) -> None:
        self.root = root
        self._memory = data_dir / FILE_NAME
        self._require_mount = require_mount
        self._mounts = mounts
        self._fstab = fstab
        self._writing = threading.Lock()
        self.mount_point = ""
        """Mount point of the disk, as last seen; empty on the system's disk."""

    def look(self) -> DiskFault | None:
        """Return why recording is not possible now; None if it is.

        Creates nothing.
        """
        try:
            mounts = self._mounts()
            fault = judge(
                self.root,
                mounts,
                remembered=self._read_remembered(),
                fstab=fstab_points(_text(self._fstab)),
                require_mount=self._require_mount,
            )
            if fault is not None:
                return fault
            self.mount_point = disk_point(self.root, mounts)
            if os.statvfs(_existing(self.root)).f_flag & os.ST_RDONLY:
                point = self.mount_point or "/"
                message = f"The recordings disk is read-only ({point})"
                return DiskFault(READ_ONLY, message, f"mount -o remount,rw {point}")
        except OSError as error:
            message = f"The recordings disk cannot be read: {error.strerror or error}"
            return DiskFault(ERROR, message, f"ls -l {self.root}")
        return None

    def prepare(self) -> DiskFault | None:
        """Create the recordings folder if that is allowed, and remember its disk.

        Raises OSError if the folder cannot be created on the right disk.
        """
        fault = self.look()
        if fault is not None:
            return fault
        self.root.mkdir(parents=True, exist_ok=True)
        with self._writing:  # concurrent starts may check it at the same time
            self._remember(self.mount_point or "/")
        return None

    def _remember(self, point: str) -> None:
        if self._read_remembered() == point:
            return
        memory = {"root": str(self.root), "mount_point": point}
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._memory, json.dumps(memory, indent=1).encode())
        except OSError as error:
            # The disk is the right one now; only a later start may not recognise it.
            log.warning("%s cannot be written: %s", self._memory, error)

    def _read_remembered(self) -> str | None:
        try:
            text = _text(self._memory)
        except OSError as error:
            # The disk of the data directory has failed, not that of the recordings.
            log.warning("%s cannot be read: %s", self._memory, error)
            return None
        if not text:
            return None
        try:
            memory = json.loads(text)
            same = memory["root"] == str(self.root)
            return str(memory["mount_point"]) if same else None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s cannot be read and is written again: %r", self._memory, error)
            return None


def _existing(path: Path) -> Path:
    """Return the path itself, or the nearest existing folder above it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _text(path: Path) -> str:
    """Return a small file's text; empty if there is none."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_FILE_BYTES:
            return ""
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
