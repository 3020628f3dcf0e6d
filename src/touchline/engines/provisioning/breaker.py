"""A circuit breaker: after several failures in a row nothing is tried for a while.

Times that decide are the monotonic clock's, so a step of the wall clock opens and closes nothing;
the wall clock's are for showing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from touchline.engines.model.listing import parsed, rfc3339

State = Literal["closed", "open", "half_open"]


def whole(seconds: float) -> float | int:
    """As an integer where it is one: clients of the earlier system read integers."""
    return int(seconds) if float(seconds).is_integer() else seconds


class Trial:
    """The one thing that is being tried while a circuit breaker is half open."""


class Breaker:
    """Closed: go on. Open: wait. Half open: one may try, and its outcome decides.

    It belongs to the event loop.
    """

    def __init__(self, *, threshold: int, recovery_timeout_s: float) -> None:
        self._threshold = threshold
        self._recovery_timeout_s = recovery_timeout_s
        self._failures = 0
        self._opened_s: float | None = None
        self._trial: Trial | None = None
        self._last_failure: datetime | None = None
        self._last_success: datetime | None = None

    def state(self, now_s: float) -> State:
        """What it is now."""
        if self._opened_s is None:
            return "closed"
        return "open" if self.remaining_s(now_s) > 0 else "half_open"

    def remaining_s(self, now_s: float) -> float:
        """How long it stays open; 0 where it is not."""
        if self._opened_s is None:
            return 0.0
        return max(0.0, self._opened_s + self._recovery_timeout_s - now_s)

    def allows(self, now_s: float) -> bool:
        """Whether something may be tried; half open, only while nothing is being tried."""
        state = self.state(now_s)
        return state == "closed" or (state == "half_open" and self._trial is None)

    def trying(self, now_s: float) -> Trial | None:
        """Note that something is being tried; return the trial that this is while half open.

        Nothing else may be tried until its outcome is told, or `end_trial`, which must follow.
        """
        if self.state(now_s) != "half_open":
            return None
        self._trial = Trial()
        return self._trial

    def end_trial(self, trial: Trial | None) -> None:
        """Let something else be tried: this trial is over, whether it said anything or not."""
        if trial is not None and self._trial is trial:
            self._trial = None

    def failed(self, now: datetime, now_s: float) -> bool:
        """Note a failure; whether it opened the breaker."""
        self._last_failure = now
        self._failures += 1
        before = self.state(now_s)
        self._trial = None
        if before == "half_open" or (before == "closed" and self._failures >= self._threshold):
            self._opened_s = now_s
            return True
        return False

    def worked(self, now: datetime) -> bool:
        """Note a success, which closes it; whether it was not closed before."""
        self._last_success = now
        recovered = self._opened_s is not None
        self.reset()
        return recovered

    def reset(self) -> None:
        """Close it, as if nothing had failed."""
        self._failures = 0
        self._opened_s = None
        self._trial = None

    @property
    def failures(self) -> int:
        """So many in a row."""
        return self._failures

    def to_json(self, now_s: float) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "state": self.state(now_s),
            "failure_count": self._failures,
            "failure_threshold": self._threshold,
            "last_failure_time": rfc3339(self._last_failure),
            "last_success_time": rfc3339(self._last_success),
            "recovery_timeout": whole(self._recovery_timeout_s),
        }

    def record(self, now_s: float) -> dict[str, Any]:
        """What the next server has to know."""
        return {
            "failures": self._failures,
            "open_for_s": None if self._opened_s is None else self.remaining_s(now_s),
            "last_failure": rfc3339(self._last_failure),
            "last_success": rfc3339(self._last_success),
        }

    def restore(self, record: Mapping[str, Any], now_s: float) -> None:
        """Be what an earlier server's was; the time between the two does not count."""
        self._failures = int(record.get("failures", 0))
        open_for_s = record.get("open_for_s")
        if open_for_s is not None:
            left_s = min(float(open_for_s), self._recovery_timeout_s)
            self._opened_s = now_s - (self._recovery_timeout_s - left_s)
        self._last_failure = parsed(record.get("last_failure"))
        self._last_success = parsed(record.get("last_success"))
