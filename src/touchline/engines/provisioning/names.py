"""Names of new instances, numbered, avoiding names that are in use."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from touchline.engines.fleet.fleet import Fleet
from touchline.engines.variants.variants import engine_name

COUNTED_NAMES, MOST_NAMES = 8, 12
"""Number of numbered names that are tried, and the total with random ones."""

FOREIGN_S = 600.0
"""Seconds for which a name that turned out to be taken is avoided."""


class NameBook:
    """Allocation of names that are not known to be in use."""

    def __init__(
        self, fleet: Fleet, starting: AbstractSet[str], *, now_s: Callable[[], float]
    ) -> None:
        """Create an allocator; `starting` are the names of instances that are being started."""
        self._fleet = fleet
        self._starting = starting
        self._now_s = now_s
        self._foreign: dict[str, float] = {}
        """Names used by foreign containers, and the time until which that is assumed."""

    def avoid(self, name: str) -> None:
        """Avoid a name for a while, because it turned out to be taken."""
        self._foreign[name] = self._now_s() + FOREIGN_S

    def choose(self, prefix: str, taken: int) -> str:
        """Return the next numbered name.

        After several that were taken, it is a random one.
        """
        if taken >= COUNTED_NAMES:
            return f"{prefix}-{secrets.randbelow(900_000_000) + 100_000_000}"
        now_s = self._now_s()
        self._foreign = {name: until for name, until in self._foreign.items() if until > now_s}
        return engine_name(self._names() | self._foreign.keys(), prefix)

    def _names(self) -> set[str]:
        ours = {engine.name for engine in self._fleet.managed()}
        others = {instance.name for instance in self._fleet.others.values()}
        return ours | others | self._starting
