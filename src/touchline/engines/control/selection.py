"""The choice of an engine for a new stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from touchline.engines.control.observation import EngineFacts


def select(engines: Iterable[EngineFacts], *, unusable_vpns: set[str], most: int) -> str | None:
    """The engine for a new stream: the least used, a forwarded one first, then the longest unused.

    One that is unwell, drained, kept for somebody else or behind a lost VPN is never given.
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
