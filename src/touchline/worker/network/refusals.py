"""Pauses after refusals by a camera: many cameras lock an account after a few attempts."""

from __future__ import annotations

import time
from collections.abc import Callable

from touchline.worker.rtsp.errors import CameraRefusal


def pause_after_refusals_s(refusal: CameraRefusal, refusals: int, *, signed_in: bool) -> float:
    """Return how long to pause after this many consecutive refusals by a camera.

    `signed_in` says that these credentials worked before: then a restart of the camera is as likely
    as a changed password, and footage would be lost by waiting.
    """
    first_s, longest_s = (1.0, 60.0) if refusal is CameraRefusal.BUSY else (30.0, 600.0)
    if refusal is CameraRefusal.CREDENTIALS and signed_in:
        first_s = 5.0
    return min(first_s * 2.0 ** min(refusals - 1, 30), longest_s)


class Refusals:
    """Refusals by one camera with its present configuration. `count` never decreases."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._in_a_row = 0
        self._until_s = 0.0
        self._at_once = False

    @property
    def left_s(self) -> float:
        """Remaining pause in seconds; 0 if the camera may be contacted."""
        if self._at_once or not self._in_a_row:
            return 0.0
        return max(0.0, self._until_s - self._monotonic())

    @property
    def in_a_row(self) -> int:
        """Number of consecutive refusals since the camera last accepted a session."""
        return self._in_a_row

    def ask_at_once(self) -> None:
        """Allow the next attempt immediately."""
        self._at_once = True

    def note(self, reason: str, refusal: CameraRefusal, *, signed_in: bool) -> str:
        """Record a refusal and return its reason with the resulting pause."""
        self.count += 1
        self._in_a_row += 1
        self._at_once = False
        pause_s = pause_after_refusals_s(refusal, self._in_a_row, signed_in=signed_in)
        self._until_s = self._monotonic() + pause_s
        return (
            f"{reason}. So as not to be locked out, the next attempt is in {pause_s:g} s, or when a"
            " recording is started"
        )

    def forget(self) -> None:
        """Reset the refusals after the camera has accepted a session."""
        self._in_a_row = 0
        self._at_once = False
