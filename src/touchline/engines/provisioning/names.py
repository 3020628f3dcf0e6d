"""Names of new instances: by their numbers, past those that somebody else has."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from touchline.engines.fleet.fleet import Fleet
from touchline.engines.variants.variants import engine_name

COUNTED_NAMES, MOST_NAMES = 8, 12
"""So many names are tried by their numbers, and then some that are random."""

FOREIGN_S = 600.0
"""A name that turned out to be taken is left alone for so long."""


class NameBook:
    """Choose names that nobody has, as far as is known."""

    def __init__(
        self, fleet: Fleet, starting: AbstractSet[str], *, now_s: Callable[[], float]
    ) -> None:
        """`starting` are the names of instances that are being started."""
        self._fleet = fleet
        self._starting = starting
        self._now_s = now_s
        self._foreign: dict[str, float] = {}
        """Names that containers of somebody else have, and until when that is believed."""

    def avoid(self, name: str) -> None:
        """Leave a name alone for a while: it turned out to be taken."""
        self._foreign[name] = self._now_s() + FOREIGN_S

    def choose(self, prefix: str, taken: int) -> str:
        """Return the next number; after so many that were taken, a name that nobody has."""
        if taken >= COUNTED_NAMES:
            return f"{prefix}-{secrets.randbelow(900_000_000) + 100_000_000}"
        now_s = self._now_s()
        self._foreign = {name: until for name, until in self._foreign.items() if until > now_s}
        return engine_name(self._names() | self._foreign.keys(), prefix)

    def _names(self) -> set[str]:
        ours = {engine.name for engine in self._fleet.ours()}
        others = {instance.name for instance in self._fleet.others.values()}
        return ours | others | self._starting
