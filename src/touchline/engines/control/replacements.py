"""Backoff for repeated replacement in the same place, with increasing delay.

A place gets at most three engines a minute, and one in five minutes if that does not help; ten a
minute if they are killed. An engine that stays well shows that it helped. The functions are pure;
`Replacements` keeps their state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from touchline.core.events.log import EventLog
from touchline.engines.fleet.failures import FailureRecord
from touchline.engines.model.model import Engine
from touchline.engines.provisioning.enginefacts import EngineFacts

AT_ONCE, WITHIN_S = 3, 60.0
FIRST_S, LONGEST_S = 60.0, 300.0

WELL_S = 20.0
"""Seconds of health after which an engine is independent of the one that it replaced."""

YOUNG_S = 20.0
"""Age in seconds below which an engine that ends by itself counts as failed to start."""

KILLED_CODES = frozenset({None, 137, 143})
"""Exit codes of engines that were killed from outside, or whose exit code is unknown."""

DIED, KILLED = "died", "killed"
"""Reasons of engines that end by themselves or are killed.

Others are started in their place.
"""

KILLED_AT_ONCE = 10
"""Number of killed engines that are replaced without delay.

An operator's experiments are not delayed; a memory limit or a cleanup program kills repeatedly.
"""

ROUNDS = "rounds"
"""Name of this part of the record of failures."""

FORGOTTEN_S = 900.0
"""Age in seconds after which a round is discarded, as unrelated to later ones.

It is `WITHIN_S` if an engine has been well since.
"""

VACANT_S, MOST_VACANCIES = 60.0, 64
"""Age and number of vacancies that an engine started automatically can fill."""

MOST_NEWEST = 64
"""Number of engines started automatically that are looked at for being well."""

Place = tuple[str, str | None]
"""Reason for removal, and the VPN of the engines concerned."""


@dataclass(frozen=True, slots=True)
class Round:
    """Round of replacements of engines for one reason.

    Engines that existed when it began are removed at once; newer ones may have to wait.
    """

    began_s: float
    number: int
    first_s: float
    """Start of the first of these rounds."""
    at_once: int
    """Number of rounds that are not delayed."""

    @property
    def next_s(self) -> float:
        """Earliest time of the next round."""
        if self.number < self.at_once:
            return self.began_s
        if self.number == self.at_once:
            return max(self.began_s, self.first_s + WITHIN_S)
        pause_s = FIRST_S * 2.0 ** min(self.number - self.at_once - 1, 16)
        return self.began_s + min(LONGEST_S, pause_s)


def holds(rounds: Mapping[Place, Round], place: Place, seen_since_s: float, now_s: float) -> bool:
    """Return whether an engine must wait before it is removed for this reason again.

    `seen_since_s` is when it was first seen.
    """
    current = rounds.get(place)
    return current is not None and seen_since_s >= current.began_s and now_s < current.next_s


def add_round(
    rounds: Mapping[Place, Round], place: Place, seen_since_s: float, now_s: float
) -> dict[Place, Round]:
    """Return the rounds after an engine has been removed for this reason.

    `seen_since_s` is when it was first seen.
    """
    current = rounds.get(place)
    first = Round(now_s, 1, now_s, count_undelayed_rounds(place[0]))
    if current is None or now_s - current.began_s > FORGOTTEN_S:
        return {**rounds, place: first}
    if seen_since_s < current.began_s:
        return dict(rounds)
    if current.number < current.at_once and now_s - current.first_s >= WITHIN_S:
        return {**rounds, place: first}  # occasional removals are not delayed
    return {**rounds, place: replace(current, began_s=now_s, number=current.number + 1)}


def list_unresolved(
    rounds: Mapping[Place, Round], started: Iterable[EngineFacts], now_s: float
) -> dict[Place, Round]:
    """Return the rounds whose cause may persist.

    The others began more than a minute ago, and an engine that was started since, in the same
    place, has been well for `WELL_S`. `started` are the engines that this server has started;
    adopted ones may be older than they seem.
    """
    well_since = [
        (engine.vpn, engine.seen_since_s)
        for engine in started
        if engine.health == "healthy" and now_s - engine.seen_since_s >= WELL_S
    ]
    return {
        (reason, vpn): each
        for (reason, vpn), each in rounds.items()
        if now_s - each.began_s < WITHIN_S
        or not any(v == vpn and since_s >= each.began_s for v, since_s in well_since)
    }


def count_undelayed_rounds(reason: str) -> int:
    """Return how many rounds for this reason are not delayed."""
    return KILLED_AT_ONCE if reason == KILLED else AT_ONCE


def records(rounds: Mapping[Place, Round], now_s: float) -> list[dict[str, Any]]:
    """Return the rounds in a JSON-compatible form for the next server."""
    return [
        {
            "reason": reason,
            "vpn": vpn,
            "number": each.number,
            "began_s_ago": now_s - each.began_s,
            "first_s_ago": now_s - each.first_s,
        }
        for (reason, vpn), each in rounds.items()
        if now_s - each.began_s <= FORGOTTEN_S
    ]


def restored(left: Iterable[Mapping[str, Any]], now_s: float) -> dict[Place, Round]:
    """Return the rounds of an earlier server; the time between the two does not count.

    Raises LookupError, TypeError or ValueError for an invalid record.
    """
    return {
        (str(each["reason"]), each["vpn"]): Round(
            began_s=now_s - _age_s(each["began_s_ago"]),
            number=max(1, int(each["number"])),
            first_s=now_s - _age_s(each["first_s_ago"]),
            at_once=count_undelayed_rounds(str(each["reason"])),
        )
        for each in left
    }


def _age_s(value: Any) -> float:
    """Return an age in seconds.

    A negative age, or one that is not a number, would delay replacements for ever.
    """
    age_s = float(value)
    if not age_s >= 0:
        raise ValueError(f"{value!r} is not an age in seconds")
    return age_s


class Aging(Protocol):
    """Engine, or facts of one, with its age."""

    @property
    def seen_since_s(self) -> float:
        """Time when this server first saw it."""

    @property
    def unhealthy_since_s(self) -> float | None:
        """Time since which it has been unhealthy; None: it is not."""


def well_s(engine: Aging) -> float:
    """Return how long it was healthy before its current state."""
    since_s = engine.unhealthy_since_s
    return since_s - engine.seen_since_s if since_s is not None else 0.0


@dataclass(frozen=True)
class Vacancy:
    """Place of an engine that ended by itself and is not replaced yet."""

    container_id: str
    name: str
    vpn: str | None
    exit_code: int | None
    since_s: float


class Replacements:
    """Record of replacement rounds, with a warning for each delayed one."""

    def __init__(
        self, events: EventLog, failures: FailureRecord, *, now_s: Callable[[], float]
    ) -> None:
        self._events = events
        self._failures = failures
        self._now_s = now_s
        self._vacancies: deque[Vacancy] = deque(maxlen=MOST_VACANCIES)
        self._newest: deque[str] = deque(maxlen=MOST_NEWEST)
        self.rounds: Mapping[Place, Round] = {}
        """Recorded rounds by place."""
        failures.add(ROUNDS, write=self._write, restore=self._restore)

    def engine_leaves(self, engine: Engine, reason: str, why: str) -> None:
        """Record that an engine is removed and replaced for this reason."""
        if well_s(engine) >= WELL_S:
            return
        again = self._note(reason, engine)
        if again is not None and again.number >= again.at_once:
            pause_s = again.next_s - again.began_s
            self._warn(
                f"A replacement is replaced for the same reason ({why}), {again.number} times in a"
                f" row: no further replacement for {pause_s:g} s",
                reason,
                engine,
                again,
            )

    def engine_died(self, engine: Engine, exit_code: int | None) -> None:
        """Record that an engine ended by itself.

        Further engines that do so at once are delayed.
        """
        self._vacancies.append(
            Vacancy(engine.id, engine.name, engine.vpn_container, exit_code, self._now_s())
        )
        if self._now_s() - engine.seen_since_s >= YOUNG_S:
            return
        reason = KILLED if exit_code in KILLED_CODES else DIED
        again = self._note(reason, engine)
        if again is not None and again.number >= again.at_once:
            pause_s = again.next_s - again.began_s
            how = (
                "are killed right after their start, by a memory limit or another program"
                if reason == KILLED
                else "exit right after their start"
            )
            self._warn(
                f"Engines {how}, {again.number} times in a row: none is started for {pause_s:g} s"
                f" unless a client requests one ({engine.name})",
                reason,
                engine,
                again,
            )

    def engine_started(self, engine: Engine) -> None:
        """Record that an engine was started automatically: it takes the place of one that died."""
        self._newest.append(engine.id)
        now_s = self._now_s()
        vacancies = [each for each in self._vacancies if now_s - each.since_s <= VACANT_S]
        taken = next((v for v in vacancies if v.vpn in {None, engine.vpn_container}), None)
        self._vacancies = deque((v for v in vacancies if v is not taken), maxlen=MOST_VACANCIES)
        if taken is None:
            return
        took_s = round(now_s - taken.since_s, 3)
        self._events.record(
            "engine",
            "replaced",
            f"Engine {taken.name} was replaced by {engine.name} in {took_s:.1f} s",
            container_id=taken.container_id,
            name=taken.name,
            reason=KILLED if taken.exit_code in KILLED_CODES else DIED,
            exit_code=taken.exit_code,
            replacement=engine.name,
            replacement_container=engine.id,
            took_s=took_s,
        )

    def engines_observed(self, engines: Sequence[EngineFacts]) -> None:
        """Discard the rounds whose cause is resolved, as engines that stay well show."""
        if not self.rounds:
            return
        started = [engine for engine in engines if engine.id in self._newest]
        left = list_unresolved(self.rounds, started, self._now_s())
        if len(left) < len(self.rounds):
            self.rounds = left
            self._failures.save()

    def block_starts(self, now_s: float) -> bool:
        """Return whether engines have died so early and so often that starts must wait."""
        rounds = self.rounds.items()
        return any(reason in {DIED, KILLED} and now_s < each.next_s for (reason, _), each in rounds)

    def forget(self) -> None:
        """Discard all rounds, after an operator has resolved the cause."""
        self.rounds = {}
        self._failures.save()

    def _write(self) -> list[dict[str, Any]]:
        return records(self.rounds, self._now_s())

    def _restore(self, left: Iterable[Mapping[str, Any]]) -> None:
        # Rounds that this server has recorded take precedence.
        self.rounds = {**restored(left, self._now_s()), **self.rounds}

    def _note(self, reason: str, engine: Engine) -> Round | None:
        """Record a replacement, and return the round that it began.

        None if it is the first round, or began none.
        """
        place = (reason, engine.vpn_container)
        before = self.rounds.get(place)
        self.rounds = add_round(self.rounds, place, engine.seen_since_s, self._now_s())
        after = self.rounds[place]
        if after is not before:
            self._failures.save()
        return after if after is not before and after.number > 1 else None

    def _warn(self, message: str, reason: str, engine: Engine, again: Round) -> None:
        self._events.record(
            "health",
            "warning",
            message,
            reason=reason,
            vpn=engine.vpn_container,
            rounds=again.number,
        )
