"""Input facts of a plan; none has a default, so that each must be stated explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touchline.engines.control.replacements import Place, Round
from touchline.engines.model.model import EngineHealth
from touchline.engines.vpn.facts import VpnFacts


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """Facts of an engine for the plan; times are the monotonic clock's."""

    id: str
    name: str
    health: EngineHealth
    unhealthy_since_s: float | None
    streams: int
    leased: bool
    idle_since_s: float | None
    draining: str | None
    vpn: str | None
    joined: bool
    """Whether the network that it joined is still its VPN's."""
    forwarded: bool
    current: bool
    """Whether it may stay; if not, it is due for replacement."""
    asked_for: bool
    """Whether its replacement was requested for this engine, and not for all."""
    seen_since_s: float
    """Time when this server first saw it."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Engine that is being started."""

    vpn: str | None
    forwarded: bool
    spoken_for: bool
    """Whether a client waits for it, so that it will not be free."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Consistent snapshot of everything that the plan depends on."""

    reachable: bool
    """Whether the runtime has been listed since the start, and since it was last unavailable."""
    engines: tuple[EngineFacts, ...]
    dead: tuple[tuple[str, str], ...]
    """Ids and names of instances of ours that have ended."""
    starting: tuple[Starting, ...]
    stopping: int
    """Number of engines that still run and are being stopped."""
    vpns: tuple[VpnFacts, ...]
    demand: int | None
    start_limit: int | None
    """Maximum number of starts now; None: unlimited.

    It follows from a breaker, or a pause after failures.
    """
    rounds: Mapping[Place, Round]
    """Recorded replacements for the same reason in the same place."""
    may_replace: bool
    """Whether replacements of unhealthy engines may be started now."""
    collect: bool
    """Whether engines idle for longer than `idle_ttl_s` are removed as well."""


def is_free(engine: EngineFacts) -> bool:
    """Return whether an engine could take a stream now, or as soon as it answers."""
    return not (engine.streams or engine.leased or engine.draining)
