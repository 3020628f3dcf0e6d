"""How long a camera that refused us is left alone: many lock an account after a few attempts."""

from __future__ import annotations

import time
from collections.abc import Callable

from touchline.worker.rtsp.errors import Refusal


def refused_pause_s(refusal: Refusal, refusals: int, *, signed_in: bool) -> float:
    """How long to leave a camera alone that refused us so many times in a row.

    `signed_in` says that these credentials were right before: then a restart of the camera is as
    likely as a new password, and footage is at stake.
    """
    first_s, longest_s = (1.0, 60.0) if refusal is Refusal.BUSY else (30.0, 600.0)
    if refusal is Refusal.CREDENTIALS and signed_in:
        first_s = 5.0
    return min(first_s * 2.0 ** min(refusals - 1, 30), longest_s)


class Refusals:
    """The refusals of one camera, as it is configured now. `count` only ever rises."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._in_a_row = 0
        self._until_s = 0.0
        self._at_once = False

    @property
    def left_s(self) -> float:
        """How long the camera is to be left alone still; 0 where it may be asked."""
        if self._at_once or not self._in_a_row:
            return 0.0
        return max(0.0, self._until_s - self._monotonic())

    @property
    def in_a_row(self) -> int:
        """How often it refused us since it last let us in."""
        return self._in_a_row

    def ask_at_once(self) -> None:
        """Let the next attempt come at once."""
        self._at_once = True

    def note(self, reason: str, refusal: Refusal, *, signed_in: bool) -> str:
        """Note a refusal; the reason with what comes of it."""
        self.count += 1
        self._in_a_row += 1
        self._at_once = False
        pause_s = refused_pause_s(refusal, self._in_a_row, signed_in=signed_in)
        self._until_s = self._monotonic() + pause_s
        return (
            f"{reason}. So as not to be locked out, the next attempt is in {pause_s:g} s, or when a"
            " recording is started"
        )

    def forget(self) -> None:
        """The camera has let us in."""
        self._in_a_row = 0
        self._at_once = False
