"""Rate-limited logging of repeated messages: the first is logged, the others are counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY_S = 10.0


class Storm:
    """Logs one kind of problem at once, and then at most every ten seconds with its count."""

    def __init__(
        self,
        log: logging.Logger,
        message: str,
        *,
        every_s: float = EVERY_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._message = message
        self._every_s = every_s
        self._now_s = now_s
        self._logged_at_s = float("-inf")
        self._unlogged = 0
        self.count = 0

    def note(self, detail: str = "") -> None:
        """Count one more occurrence."""
        self.count += 1
        self._unlogged += 1
        now_s = self._now_s()
        if now_s - self._logged_at_s < self._every_s:
            return
        times = f" ({self._unlogged} times since it was last said)" if self._unlogged > 1 else ""
        self._log.warning("%s%s%s", self._message, f": {detail}" if detail else "", times)
        self._logged_at_s, self._unlogged = now_s, 0
