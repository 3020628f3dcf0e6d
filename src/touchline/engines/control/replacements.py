"""When the replacement of a replacement may be replaced in its turn: later each time.

A place gets three engines a minute at the most, and one in five minutes where that does not help;
ten a minute where they are killed.
The functions are pure; `Replacements` keeps what they decide about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from touchline.core.events.log import EventLog
from touchline.engines.model.model import Engine

AT_ONCE, WITHIN_S = 3, 60.0
FIRST_S, LONGEST_S = 60.0, 300.0

WELL_S = 20.0
"""An engine that was well for longer does not go because of what it replaced."""

YOUNG_S = 20.0
"""An engine that ends by itself sooner has not got going."""

KILLED_CODES = frozenset({None, 137, 143})
"""Exit codes of engines that somebody has ended, or of which nobody knows."""

DIED, KILLED = "died", "killed"
"""The reasons of engines that end by themselves, or by somebody else: others are started."""

KILLED_AT_ONCE = 10
"""An operator who tries things out waits for none; a memory limit or a cleaner goes on and on."""

FORGOTTEN_S = 900.0
"""A round that began so long ago has nothing to do with a new one."""

Place = tuple[str, str | None]
"""A reason, and the VPN of the engines that go for it."""


@dataclass(frozen=True, slots=True)
class Round:
    """Engines that were there when it began go at once; those made since may have to wait."""

    began_s: float
    number: int = 1
    first_s: float = 0.0
    """When the first of these rounds began."""
    at_once: int = AT_ONCE
    """So many of them are not held."""

    @property
    def next_s(self) -> float:
        """When the next one may begin."""
        if self.number < self.at_once:
            return self.began_s
        if self.number == self.at_once:
            return max(self.began_s, self.first_s + WITHIN_S)
        pause_s = FIRST_S * 2.0 ** min(self.number - self.at_once - 1, 16)
        return self.began_s + min(LONGEST_S, pause_s)


def holds(rounds: Mapping[Place, Round], place: Place, seen_since_s: float, now_s: float) -> bool:
    """Whether an engine, seen since then, has to wait before it goes for this reason again."""
    current = rounds.get(place)
    return current is not None and seen_since_s >= current.began_s and now_s < current.next_s


def noted(
    rounds: Mapping[Place, Round], place: Place, seen_since_s: float, now_s: float
) -> dict[Place, Round]:
    """The rounds after an engine, seen since then, has gone for this reason."""
    current = rounds.get(place)
    first = Round(now_s, 1, now_s, at_once_for(place[0]))
    if current is None or now_s - current.began_s > FORGOTTEN_S:
        return {**rounds, place: first}
    if seen_since_s < current.began_s:
        return dict(rounds)
    if current.number < current.at_once and now_s - current.first_s >= WITHIN_S:
        return {**rounds, place: first}  # it goes for it now and then
    return {**rounds, place: replace(current, began_s=now_s, number=current.number + 1)}


def at_once_for(reason: str) -> int:
    """Return how many rounds for this reason are not held."""
    return KILLED_AT_ONCE if reason == KILLED else AT_ONCE


def records(rounds: Mapping[Place, Round], now_s: float) -> list[dict[str, Any]]:
    """Return what the next server has to know of the rounds, as JSON can say it."""
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

    Raises LookupError, TypeError or ValueError for what is no record.
    """
    return {
        (str(each["reason"]), each["vpn"]): Round(
            began_s=now_s - _age_s(each["began_s_ago"]),
            number=max(1, int(each["number"])),
            first_s=now_s - _age_s(each["first_s_ago"]),
            at_once=at_once_for(str(each["reason"])),
        )
        for each in left
    }


def _age_s(value: Any) -> float:
    """A time ago; one that is to come, or not a number, would hold replacements for ever."""
    age_s = float(value)
    if not age_s >= 0:
        raise ValueError(f"{value!r} is not how long ago something was")
    return age_s


class Aging(Protocol):
    """An engine, or facts of one."""

    @property
    def seen_since_s(self) -> float:
        """When this server first saw it."""

    @property
    def unhealthy_since_s(self) -> float | None:
        """Since when it has been unhealthy; None: it is not."""


def well_s(engine: Aging) -> float:
    """Return how long it was well before it became what it is."""
    since_s = engine.unhealthy_since_s
    return since_s - engine.seen_since_s if since_s is not None else 0.0


class Replacements:
    """Count the rounds of replacements, warn of each that has to wait, and have them saved."""

    def __init__(
        self, events: EventLog, *, save: Callable[[], None], now_s: Callable[[], float]
    ) -> None:
        self._events = events
        self._save = save
        self._now_s = now_s
        self.rounds: Mapping[Place, Round] = {}
        """The rounds by their place, as they were noted."""

    def engine_leaves(self, engine: Engine, reason: str, why: str) -> None:
        """Note that an engine goes, and is replaced, for this reason."""
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
        """Note that an engine ended by itself: others that do so at once have to wait."""
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

    def block_starts(self, now_s: float) -> bool:
        """Return whether engines have died so early and so often that starts wait."""
        rounds = self.rounds.items()
        return any(reason in {DIED, KILLED} and now_s < each.next_s for (reason, _), each in rounds)

    def forget(self) -> None:
        """Forget all rounds: an operator has seen to what failed."""
        self.rounds = {}
        self._save()

    def records(self) -> list[dict[str, Any]]:
        """Return what the next server has to know of the rounds."""
        return records(self.rounds, self._now_s())

    def restore(self, left: Iterable[Mapping[str, Any]]) -> None:
        """Go on with the rounds of an earlier server; what this one has seen itself counts."""
        self.rounds = {**restored(left, self._now_s()), **self.rounds}

    def _note(self, reason: str, engine: Engine) -> Round | None:
        """The round that has begun with it; None: it is the first one, or of an earlier round."""
        place = (reason, engine.vpn_container)
        before = self.rounds.get(place)
        self.rounds = noted(self.rounds, place, engine.seen_since_s, self._now_s())
        after = self.rounds[place]
        if after is not before:
            self._save()
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
