"""Input facts of a plan; none has a default, so that each must be stated explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from touchline.engines.control.replacements import Place, Round
from touchline.engines.provisioning.enginefacts import EngineFacts
from touchline.engines.vpn.facts import VpnFacts


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
    """Ids and names of managed instances that have ended."""
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
