"""What the studio cannot do, in words for whoever asked for it."""

from __future__ import annotations


class StudioError(Exception):
    """`code` is stable, `message` says what happened, `advice` what to do about it."""

    def __init__(self, code: str, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice
