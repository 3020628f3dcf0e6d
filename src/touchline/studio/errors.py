"""Errors of the studio, with messages for the person who started the job."""

from __future__ import annotations

import errno


class StudioError(Exception):
    """Error with a stable `code`, a `message` about what happened and `advice` on what to do."""

    def __init__(self, code: str, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice


def disk_trouble(error: OSError) -> StudioError:
    """Return the error for a disk that does not accept data."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StudioError(
            "disk_full",
            "The disk is full; completed work is kept",
            advice="Free some space and retry; the job resumes where it stopped.",
        )
    return StudioError("disk_failed", f"The disk is not writable: {error.strerror}")
