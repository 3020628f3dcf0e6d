"""When the replacement of a replacement may be replaced in its turn: later each time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIRST_S, LONGEST_S = 5.0, 300.0
FORGOTTEN_S = 900.0
"""A round that began so long ago has nothing to do with a new one."""

Place = tuple[str, str | None]
"""A reason, and the VPN of the engines that go for it."""


@dataclass(frozen=True, slots=True)
class Round:
    """Engines that were there when it began go at once; those made since have to wait."""

    began_s: float
    number: int

    @property
    def next_s(self) -> float:
        """When the next one may begin."""
        return self.began_s + min(LONGEST_S, FIRST_S * 2.0 ** min(self.number - 1, 16))


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
        return {**rounds, place: Round(now_s, 1)}
    if seen_since_s < current.began_s:
        return dict(rounds)
    return {**rounds, place: Round(now_s, current.number + 1)}
