"""The facts that a plan is made of. None has a default: who looks has to say each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touchline.engines.control.replacements import Place, Round
from touchline.engines.model.model import EngineHealth
from touchline.engines.vpn.facts import VpnFacts


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the plan knows of an engine; times are the monotonic clock's."""

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
    """Whether it may stay; if not, it is replaced in its turn."""
    asked_for: bool
    """Whether it is replaced because somebody asked for this one, and not for all."""
    seen_since_s: float
    """When this server first saw it."""


@dataclass(frozen=True, slots=True)
class Starting:
    """An engine on its way."""

    vpn: str | None
    forwarded: bool
    spoken_for: bool
    """A client waits for it: it will not be free."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One consistent look at everything that counts."""

    reachable: bool
    """The runtime has been listed, and again since it was last away."""
    engines: tuple[EngineFacts, ...]
    dead: tuple[tuple[str, str], ...]
    """Ids and names of instances of ours that have ended."""
    starting: tuple[Starting, ...]
    stopping: int
    """Engines that run still and are being stopped."""
    vpns: tuple[VpnFacts, ...]
    demand: int | None
    start_limit: int | None
    """At most so many starts now (a breaker's word, a pause after failures); None: any number."""
    rounds: Mapping[Place, Round]
    """Replacements for the same reason in the same place, as they were noted."""
    may_replace: bool
    """Whether replacements of unhealthy engines may be started now."""
    collect: bool
    """What is idle beyond `idle_ttl_s` goes as well."""


def is_free(engine: EngineFacts) -> bool:
    """Whether it could take a stream now, or as soon as it answers."""
    return not (engine.streams or engine.leased or engine.draining)
