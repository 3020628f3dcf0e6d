"""When the replacement of a replacement may be replaced in its turn: later each time. Pure.

A place gets three engines a minute at the most, and one in five minutes where that does not help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

AT_ONCE, WITHIN_S = 3, 60.0
FIRST_S, LONGEST_S = 60.0, 300.0

WELL_S = 20.0
"""An engine that was well for longer does not go because of what it replaced."""

YOUNG_S = 20.0
"""An engine that ends by itself sooner has not got going."""

KILLED = frozenset({None, 137, 143})
"""Exit codes of engines that somebody has ended, or of which nobody knows."""

DIED = "died"
"""The reason of engines that end by themselves: others are started in their place."""

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

    @property
    def next_s(self) -> float:
        """When the next one may begin."""
        if self.number < AT_ONCE:
            return self.began_s
        if self.number == AT_ONCE:
            return max(self.began_s, self.first_s + WITHIN_S)
        pause_s = FIRST_S * 2.0 ** min(self.number - AT_ONCE - 1, 16)
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
    if current is None or now_s - current.began_s > FORGOTTEN_S:
        return {**rounds, place: Round(now_s, 1, now_s)}
    if seen_since_s < current.began_s:
        return dict(rounds)
    if current.number < AT_ONCE and now_s - current.first_s >= WITHIN_S:
        return {**rounds, place: Round(now_s, 1, now_s)}  # it goes for it now and then
    return {**rounds, place: Round(now_s, current.number + 1, current.first_s)}


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
            began_s=now_s - float(each["began_s_ago"]),
            number=int(each["number"]),
            first_s=now_s - float(each["first_s_ago"]),
        )
        for each in left
    }
