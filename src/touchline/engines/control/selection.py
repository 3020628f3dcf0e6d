"""Selection of an engine for a new stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from touchline.engines.control.observation import EngineFacts


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
