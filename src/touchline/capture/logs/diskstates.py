"""Explanations of the recordings disk's states: consequence and remedy of each."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from touchline.media.storage import disk

DiskIssue = Literal[
    "disk_full", "disk_read_only", "disk_gone", "disk_slow", "disk_file_too_large", "disk_error"
]


@dataclass(frozen=True)
class Meaning:
    """Explanation of a state; `pauses` if nothing is written while it lasts."""

    kind: DiskIssue
    """Stable identifier for programs."""
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


_NO_DESCRIPTORS = Meaning(
    "disk_error",
    "No file descriptors left; recording resumes when some are free",
    "Raise the limit (ulimit -n, LimitNOFILE=; fs.file-max for the whole machine), and look for"
    " the program that holds so many files open.",
    pauses=True,
)
_NOT_PERMITTED = Meaning(
    "disk_error",
    "No permission to write footage; recording resumes when there is",
    "Let the server's user write to the recordings directory: check its owner and mode, and those"
    " of the directories above it.",
    pauses=True,
)
_ERRORS: Mapping[int, Meaning] = {
    errno.EMFILE: _NO_DESCRIPTORS,
    errno.ENFILE: _NO_DESCRIPTORS,
    errno.EACCES: _NOT_PERMITTED,
    errno.EPERM: _NOT_PERMITTED,
}
"""Errors that are raised by disk calls but not caused by the disk."""


def meaning_of(state: str, number: int | None) -> Meaning:
    """Return the meaning of a state, more precise if the error number is known.

    States of a newer worker that are unknown here are supported.
    """
    if state == disk.ERROR and number is not None and number in _ERRORS:
        return _ERRORS[number]
    unknown = Meaning("disk_error", f"Disk {state}", "See the worker's log.", pauses=True)
    return MEANINGS.get(state, unknown)
