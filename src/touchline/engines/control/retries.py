"""Decisions on when an engine may be started or replaced after earlier ones failed."""

from __future__ import annotations

import random

from touchline.engines.control.actions import BACKS_OFF
from touchline.engines.control.replacements import Replacements
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.provisioning.breaker import Breakers, Trial

FIRST_S, LONGEST_S = 0.5, 30.0


class Backoff:
    """Delay that increases with each consecutive failure and is randomised."""

    def __init__(self) -> None:
        self._failures = 0
        self.not_before_s = 0.0
        """Earliest time of the next attempt, on the monotonic clock."""

    def failed(self, now_s: float) -> None:
        """Record a failure at this time."""
        pause_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self.not_before_s = now_s + pause_s * random.uniform(0.8, 1.2)

    def worked(self) -> None:
        """Record a success; the next failure counts as the first."""
        self._failures = 0
        self.not_before_s = 0.0


class StartRetries:
    """Limits of starts and replacements that follow from earlier failures.

    They are the circuit breakers', a delay after each failed start, the rounds of replacements in
    one place, and the configured pause between two replacements.
    """

    def __init__(
        self,
        fleet: Fleet,
        breakers: Breakers,
        replacements: Replacements,
        *,
        replacement_cooldown_s: float,
        clock: Clock,
    ) -> None:
        self._fleet = fleet
        self._breakers = breakers
        self.replacements = replacements
        self._replacement_cooldown_s = replacement_cooldown_s
        self._now_s = clock.now_s
        self._backoff = Backoff()
        self._replace_not_before_s = 0.0

    def start_limit(self) -> int | None:
        """Return how many engines may be started now; None: any number."""
        now_s, general = self._now_s(), self._breakers.general
        if now_s < self._backoff.not_before_s or self.replacements.block_starts(now_s):
            return 0
        if not general.allows(now_s):
            return 0
        return 1 if general.state(now_s) == "half_open" else None

    def may_replace(self) -> bool:
        """Return whether replacements of unhealthy engines may be started now."""
        now_s = self._now_s()
        return now_s >= self._replace_not_before_s and self._breakers.replacement.allows(now_s)

    def begin(self, *, replaces: bool) -> Trial | None:
        """Record the beginning of a start; `end` must follow with the returned trial."""
        now_s = self._now_s()
        if replaces:
            self._replace_not_before_s = now_s + self._replacement_cooldown_s
        return self._breakers.general.trying(now_s)

    def failed(self, error: Exception, *, replaces: bool) -> None:
        """Record a failed start, which the provisioner has reported."""
        self._backoff.failed(self._now_s())
        if replaces and not isinstance(error, RuntimeUnavailable):
            self._breakers.replacement_failed()

    def worked(self, engine: Engine, *, replaces: bool) -> None:
        """Record an engine that was started automatically."""
        self._backoff.worked()
        self.replacements.engine_started(engine)
        if replaces:
            self._breakers.replacement_worked()

    def end(self, trial: Trial | None) -> None:
        """Record the end of a start, whatever its result."""
        self._breakers.general.end_trial(trial)

    def engine_leaves(self, engine: Engine, reason: str, why: str) -> None:
        """Record that an engine is removed and replaced for this reason."""
        if reason in BACKS_OFF:
            self.replacements.engine_leaves(engine, reason, why)

    def reset(self, breaker: str | None) -> None:
        """Close one circuit breaker, or all, after an operator has resolved the cause.

        All other recorded failures are discarded. Raises NotFound for an unknown breaker.
        """
        self._breakers.reset(breaker)
        self.replacements.forget()
        self._backoff.worked()
        self._fleet.plan_outdated.mark()
