"""What is noted of a life of the fault explorer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from support.fakeruntime import FakeRuntime, World
from touchline.core.events.event import Event

MOST = 5
"""So many engines are allowed."""

REPLACES = frozenset({"unhealthy", "dead_network", "vpn_lost", "forwarding", "rebalancing"})
MOST_A_MINUTE = 3


class WatchedRuntime(FakeRuntime):
    """Notes who starts or stops something before the runtime was listed again."""

    def __init__(self, world: World, violations: list[str]) -> None:
        super().__init__(world)
        self.violations = violations
        self._listed = True

    def go_away(self) -> None:
        super().go_away()
        self._listed = False

    def _must_be_here(self, verb: str) -> None:
        super()._must_be_here(verb)
        if verb == "list":
            self._listed = True
        elif verb in {"start", "stop"} and not self._listed:
            self.violations.append(f"{verb} before the runtime was listed again")


@dataclass
class Replacements:
    """Which engines went, and whether the same place went too often."""

    now_s: Callable[[], float]
    world: World
    decided: dict[str, list[tuple[float, datetime, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By reason: when, when the engine was made by the daemon's clock, and its id."""
    made: dict[str, datetime] = field(default_factory=dict)
    reset_s: list[float] = field(default_factory=list)
    """When an operator had the server forget what had failed."""

    def reset(self) -> None:
        """Note that replacements are not held because of earlier ones from now on."""
        self.reset_s.append(self.now_s())

    def take(self, event: Event) -> None:
        """Note what an event says of an engine that goes."""
        self.made |= {each.id: each.created_at for each in self.world.instances.values()}
        reason, engine_id = str(event.details.get("reason")), event.ids.get("container_id", "")
        if event.type != "engine" or reason not in REPLACES or engine_id not in self.made:
            return
        known = {each for _, _, each in self.decided[reason]}
        if event.category in {"draining", "deleted"} and engine_id not in known:
            self.decided[reason].append((self.now_s(), self.made[engine_id], engine_id))

    def violations(self, daemon_s: Callable[[datetime], float]) -> list[str]:
        """Where one that was made in the place of another went again, and again."""
        found = []
        for reason, decided in self.decided.items():
            chains: list[list[float]] = []
            for at_s, made, _ in decided:
                made_s = daemon_s(made)
                # The longest line of those of which each was made after the one before went.
                before = max((c for c in chains if c[-1] <= made_s), key=len, default=[])
                chains.append([*before, at_s])
            for chain in chains:
                from_s = max((each for each in self.reset_s if each <= chain[-1]), default=0.0)
                recent = [at_s for at_s in chain if chain[-1] - at_s < 60.0 and at_s >= from_s]
                if len(recent) > MOST_A_MINUTE:
                    found.append(f"one place was replaced at {recent} because of {reason}")
                    break
        return found


@dataclass
class Diary:
    """What was done in a life, and what is known of it."""

    seed: int
    log: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Streams of which a client was told that they are kept, and their engine."""
    ended: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    """Containers of somebody else's, that nobody but the explorer may remove."""
