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
        "Disk full, recording resumes when space returns",
        "Free space: delete matches, or whatever else fills the disk.",
        pauses=True,
    ),
    disk.READ_ONLY: Meaning(
        "disk_read_only",
        "Disk read-only, recording resumes when it can be written",
        "Look for its faults in the kernel's log, check it with fsck, and mount it again.",
        pauses=True,
    ),
    disk.GONE: Meaning(
        "disk_gone",
        "Disk gone, recording resumes when it is back",
        "Connect and mount it again where it was; nothing is written to another disk meanwhile.",
        pauses=True,
    ),
    disk.SLOW: Meaning(
        "disk_slow",
        "Disk slow, footage waits in memory",
        "Stop what else uses the disk; a disk that stays slow must be replaced by a faster one.",
        pauses=False,
    ),
    disk.FILE_TOO_LARGE: Meaning(
        "disk_file_too_large",
        "File size limit reached, recording goes on in another file",
        "Nothing is lost. Lift the limit (ulimit -f, LimitFSIZE=) or use another filesystem.",
        pauses=False,
    ),
    disk.ERROR: Meaning(
        "disk_error",
        "Disk error, recording goes on in another file when it can",
        "Look for the disk's faults in the kernel's log, and replace it.",
        pauses=True,
    ),
}


def meaning_of(state: str) -> Meaning:
    """What a state means; also one that a newer worker tells and this server does not know."""
    unknown = Meaning("disk_error", f"Disk {state}", "See the worker's log.", pauses=True)
    return MEANINGS.get(state, unknown)
