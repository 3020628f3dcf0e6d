"""What each state of the recordings disk means to people: what happens, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from touchline.media.storage import disk

DiskIssue = Literal[
    "disk_full", "disk_read_only", "disk_gone", "disk_slow", "disk_file_too_large", "disk_error"
]


@dataclass(frozen=True)
class Meaning:
    """A state for people. `pauses` says that nothing is written while it lasts."""

    kind: DiskIssue
    """What programs know it by."""
    issue: str
    to_do: str
    pauses: bool


MEANINGS: Mapping[str, Meaning] = {
    disk.FULL: Meaning(
        "disk_full",
        "Disk full; recording resumes when space is available",
        "Free space: delete matches or other files on the disk.",
        pauses=True,
    ),
    disk.READ_ONLY: Meaning(
        "disk_read_only",
        "Disk read-only; recording resumes when it is writable",
        "Look for disk errors in the kernel log, check the disk with fsck and mount it again.",
        pauses=True,
    ),
    disk.GONE: Meaning(
        "disk_gone",
        "Disk gone; recording resumes when it is back",
        "Connect the disk and mount it at the same place. Meanwhile nothing is"
        " written to another disk.",
        pauses=True,
    ),
    disk.SLOW: Meaning(
        "disk_slow",
        "Disk slow; footage is buffered in memory",
        "Stop other programs that use the disk. Replace a disk that stays slow.",
        pauses=False,
    ),
    disk.FILE_TOO_LARGE: Meaning(
        "disk_file_too_large",
        "File size limit reached; recording continues in another file",
        "Nothing is lost. Raise the limit (ulimit -f, LimitFSIZE=) or use another filesystem.",
        pauses=False,
    ),
    disk.ERROR: Meaning(
        "disk_error",
        "Disk error; recording continues in another file if possible",
        "Look for disk errors in the kernel log and replace the disk.",
        pauses=True,
    ),
}


def meaning_of(state: str) -> Meaning:
    """What a state means; also one that a newer worker tells and this server does not know."""
    unknown = Meaning("disk_error", f"Disk {state}", "See the worker's log.", pauses=True)
    return MEANINGS.get(state, unknown)
