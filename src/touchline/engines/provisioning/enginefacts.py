"""Facts of engines and VPNs for decisions, and the choice of an engine for a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Engine, EngineHealth
from touchline.engines.vpn.facts import VpnFacts, VpnView


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


def is_free(engine: EngineFacts) -> bool:
    """Return whether an engine could take a stream now, or as soon as it answers."""
    return not (engine.streams or engine.leased or engine.draining)


def select(engines: Iterable[EngineFacts], *, unusable_vpns: set[str], most: int) -> str | None:
    """Return the engine for a new stream.

    It is the least used one, a forwarded one first, then the longest unused. Engines that are
    unhealthy, drained, reserved for another client or behind a lost VPN are never selected.
    """
    fit = (
        engine
        for engine in engines
        if engine.health == "healthy"
        and engine.draining is None
        and not engine.leased
        and engine.joined
        and engine.current
        and engine.streams < most
        and engine.vpn not in unusable_vpns
    )

    def order(engine: EngineFacts) -> tuple[int, bool, float, str]:
        return engine.streams, not engine.forwarded, engine.idle_since_s or 0.0, engine.name

    best = min(fit, key=order, default=None)
    return best.id if best is not None else None


class FleetView:
    """Stateless view of the fleet and its VPNs, as facts for decisions."""

    def __init__(self, fleet: Fleet, vpns: VpnView, *, now_s: Callable[[], float]) -> None:
        self._fleet = fleet
        self._vpns = vpns
        self._now_s = now_s

    def engines(self) -> tuple[EngineFacts, ...]:
        """Return the facts of each managed engine."""
        now_s = self._now_s()
        return tuple(self._facts(engine, now_s) for engine in self._fleet.managed())

    def vpns(self) -> tuple[VpnFacts, ...]:
        """Return the facts of each VPN."""
        return self._vpns.facts()

    def select(self, most_streams: int) -> Engine | None:
        """Return the engine for a new stream; None: none is free."""
        if not self._fleet.freshness.is_current:
            return None
        lost = {vpn.name for vpn in self._vpns.facts() if vpn.lost}
        now_s = self._now_s()
        facts = (self._facts(engine, now_s) for engine in self._fleet.managed())
        return self._fleet.find(select(facts, unusable_vpns=lost, most=most_streams))

    def spare(self) -> Engine | None:
        """Return an unused, ready engine with the current configuration."""
        return self.select(1)

    def _facts(self, engine: Engine, now_s: float) -> EngineFacts:
        return EngineFacts(
            id=engine.id,
            name=engine.name,
            health=engine.health,
            unhealthy_since_s=engine.unhealthy_since_s,
            streams=self._fleet.streams_on(engine.id),
            leased=self._fleet.is_kept(engine.id, now_s),
            idle_since_s=engine.idle_since_s,
            draining=engine.draining,
            vpn=engine.vpn_container,
            joined=self._vpns.is_joined(engine),
            forwarded=engine.forwarded,
            # Engines are replaced when that is asked for, not when the configuration is saved.
            current=not self._fleet.is_outdated(engine.id),
            asked_for=self._fleet.is_asked_to_go(engine.id),
            seen_since_s=engine.seen_since_s,
        )
