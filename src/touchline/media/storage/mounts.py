"""Mount points from the kernel's list, and the filesystem of a path.

Standard library only, for the worker and the server. Everything blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"


class Mount(NamedTuple):
    """A mounted filesystem: mount point, type, source, and its device as `major:minor`.

    A bind mount of a folder has the same device.
    """

    point: str
    fs_type: str
    source: str
    device: str


def read_mounts(path: str = MOUNTINFO) -> list[Mount]:
    """Return all mounts in mount order. Raises OSError."""
    return parse_mountinfo(Path(path).read_text(errors="surrogateescape").splitlines())


def parse_mountinfo(lines: Iterable[str]) -> list[Mount]:
    """Parse the mounts of proc_pid_mountinfo(5); lines of another form are skipped."""
    mounts = []
    for line in lines:
        fields, _, rest = line.partition(" - ")
        before, after = fields.split(" "), rest.split(" ")
        if len(before) >= 6 and len(after) >= 2:
            mounts.append(Mount(_unescape(before[4]), after[0], _unescape(after[1]), before[2]))
    return mounts


def mount_of(path: str | os.PathLike[str], mounts: Iterable[Mount]) -> Mount | None:
    """Return the newest mount that contains a path; the path itself need not exist."""
    wanted = os.path.realpath(path)
    found = None
    for mount in mounts:
        inside = wanted == mount.point or wanted.startswith(mount.point.rstrip("/") + "/")
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def is_mounted(point: str) -> bool:
    """Return whether something is mounted exactly at a path. Raises OSError."""
    return any(mount.point == point for mount in read_mounts())


def _unescape(text: str) -> str:
    r"""Unescape spaces and other characters, which are written as `\040`."""
    for code in ("040", "011", "012", "134"):
        text = text.replace(f"\\{code}", chr(int(code, 8)))
    return text
