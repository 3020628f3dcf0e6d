"""Circuit breakers that pause attempts after several consecutive failures.

Decisions use the monotonic clock, so a change of the wall clock has no effect; the wall clock's
times are for display.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from touchline.core.errors import NotFound, TouchlineError
from touchline.core.events.log import EventLog
from touchline.engines.fleet.failures import FailureRecord
from touchline.engines.model.clock import Clock
from touchline.engines.model.listing import parsed, rfc3339
from touchline.engines.provisioning.answers import BreakerState, CircuitBreaker
from touchline.engines.settings.tree import BreakerSettings


def whole(seconds: float) -> float | int:
    """Return a whole number of seconds as an integer.

    Clients of the earlier system read integers.
    """
    return int(seconds) if float(seconds).is_integer() else seconds


class Trial:
    """Single attempt while a circuit breaker is half open."""


class Breaker:
    """Circuit breaker: closed allows attempts, open refuses them, half open allows one.

    The outcome of that attempt closes it or opens it again.
    """

    def __init__(self, *, threshold: int, recovery_timeout_s: float) -> None:
        self._threshold = threshold
        self._recovery_timeout_s = recovery_timeout_s
        self._failures = 0
        self._opened_s: float | None = None
        self._trial: Trial | None = None
        self._last_failure: datetime | None = None
        self._last_success: datetime | None = None

    def state(self, now_s: float) -> BreakerState:
        """Return the current state."""
        if self._opened_s is None:
            return "closed"
        return "open" if self.remaining_s(now_s) > 0 else "half_open"

    def remaining_s(self, now_s: float) -> float:
        """Return how long it stays open; 0 if it is not open."""
        if self._opened_s is None:
            return 0.0
        return max(0.0, self._opened_s + self._recovery_timeout_s - now_s)

    def allows(self, now_s: float) -> bool:
        """Return whether an attempt is allowed.

        While half open, only if there is no other attempt.
        """
        state = self.state(now_s)
        return state == "closed" or (state == "half_open" and self._trial is None)

    def trying(self, now_s: float) -> Trial | None:
        """Record an attempt, and return its trial while half open.

        No other attempt is allowed until its outcome is recorded or `end_trial` is called, which
        must follow.
        """
        if self.state(now_s) != "half_open":
            return None
        self._trial = Trial()
        return self._trial

    def end_trial(self, trial: Trial | None) -> None:
        """End a trial and allow another, whether it had an outcome or not."""
        if trial is not None and self._trial is trial:
            self._trial = None

    def failed(self, now: datetime, now_s: float) -> bool:
        """Record a failure, and return whether it opened the breaker."""
        self._last_failure = now
        self._failures += 1
        before = self.state(now_s)
        self._trial = None
        if before == "half_open" or (before == "closed" and self._failures >= self._threshold):
            self._opened_s = now_s
            return True
        return False

    def worked(self, now: datetime) -> bool:
        """Record a success, which closes the breaker.

        Returns whether it was not closed before.
        """
        self._last_success = now
        recovered = self._opened_s is not None
        self.reset()
        return recovered

    def reset(self) -> None:
        """Close the breaker and discard all failures."""
        self._failures = 0
        self._opened_s = None
        self._trial = None

    @property
    def failures(self) -> int:
        """Number of consecutive failures."""
        return self._failures

    def to_json(self, now_s: float) -> CircuitBreaker:
        """Return the state as shown to clients."""
        return {
            "state": self.state(now_s),
            "failure_count": self._failures,
            "failure_threshold": self._threshold,
            "last_failure_time": rfc3339(self._last_failure),
            "last_success_time": rfc3339(self._last_success),
            "recovery_timeout": whole(self._recovery_timeout_s),
        }

    def record(self, now_s: float) -> dict[str, Any]:
        """Return the state for the next server."""
        return {
            "failures": self._failures,
            "open_for_s": None if self._opened_s is None else self.remaining_s(now_s),
            "last_failure": rfc3339(self._last_failure),
            "last_success": rfc3339(self._last_success),
        }

    def restore(self, record: Mapping[str, Any], now_s: float) -> None:
        """Restore the state of an earlier server; the time between the two does not count."""
        self._failures = int(record.get("failures", 0))
        open_for_s = record.get("open_for_s")
        if open_for_s is not None:
            left_s = min(float(open_for_s), self._recovery_timeout_s)
            self._opened_s = now_s - (self._recovery_timeout_s - left_s)
        self._last_failure = parsed(record.get("last_failure"))
        self._last_success = parsed(record.get("last_success"))


class Breakers:
    """Circuit breakers of all starts and of replacements.

    Each change is stored for the next server, and an event where it matters to people.
    """

    def __init__(
        self, settings: BreakerSettings, *, failures: FailureRecord, events: EventLog, clock: Clock
    ) -> None:
        self.general = Breaker(
            threshold=settings.failure_threshold, recovery_timeout_s=settings.recovery_timeout_s
        )
        self.replacement = Breaker(
            threshold=settings.replacement_threshold,
            recovery_timeout_s=settings.replacement_timeout_s,
        )
        self._by_name = {"general": self.general, "replacement": self.replacement}
        self._failures = failures
        self._events = events
        self._now, self._now_s = clock.now, clock.now_s
        for name, breaker in self._by_name.items():
            failures.add(
                name, write=partial(self._write, breaker), restore=partial(self._restore, breaker)
            )

    def start_failed(self, error: TouchlineError) -> None:
        """Record a failed start."""
        breaker = self.general
        if breaker.failed(self._now(), self._now_s()):
            self._events.record(
                "health",
                "failed",
                f"The circuit breaker has opened after {breaker.failures} failed starts:"
                f" no engine is started until it closes ({error.message})",
                breaker="general",
                failure_count=breaker.failures,
                reason=error.code,
            )
        self._failures.save()

    def start_worked(self) -> None:
        """Record a start that succeeded."""
        failures = self.general.failures
        if self.general.worked(self._now()):
            self._events.record(
                "health",
                "recovered",
                f"The circuit breaker is closed again, after {failures} failed starts",
                breaker="general",
                failure_count=failures,
            )
        if failures:
            self._failures.save()

    def replacement_failed(self) -> None:
        """Record a replacement that could not be started."""
        opened = self.replacement.failed(self._now(), self._now_s())
        self._failures.save()
        if opened:
            self._events.record(
                "health",
                "failed",
                "The replacement circuit breaker has opened: no engine is started until it closes",
                breaker="replacement",
                failure_count=self.replacement.failures,
            )

    def replacement_worked(self) -> None:
        """Record a replacement that was started."""
        self.replacement.worked(self._now())
        self._failures.save()

    def reset(self, name: str | None) -> None:
        """Close one breaker, or all. Raises NotFound for an unknown name."""
        if name is not None and name not in self._by_name:
            raise NotFound(
                f"Unknown circuit breaker {name}; available: {', '.join(self._by_name)}",
                code="breaker_not_found",
            )
        for each, breaker in self._by_name.items():
            if name in {None, each}:
                breaker.reset()
        self._failures.save()

    def to_json(self) -> dict[str, CircuitBreaker]:
        """Return the state of each breaker as shown to clients."""
        now_s = self._now_s()
        return {name: breaker.to_json(now_s) for name, breaker in self._by_name.items()}

    def _write(self, breaker: Breaker) -> dict[str, Any]:
        return breaker.record(self._now_s())

    def _restore(self, breaker: Breaker, left: Mapping[str, Any]) -> None:
        if not breaker.failures:  # else this server knows better
            breaker.restore(left, self._now_s())
