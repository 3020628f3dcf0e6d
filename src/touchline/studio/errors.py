"""What the studio cannot do, in words for whoever asked for it."""

from __future__ import annotations

import errno


class StudioError(Exception):
    """`code` is stable, `message` says what happened, `advice` what to do about it."""

    def __init__(self, code: str, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice


def disk_trouble(error: OSError) -> StudioError:
    """What to say of a disk that does not take it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StudioError(
            "disk_full",
            "The disk is full; completed work is kept",
            advice="Free some space and retry; the job resumes where it stopped.",
        )
    return StudioError("disk_failed", f"The disk is not writable: {error.strerror}")
