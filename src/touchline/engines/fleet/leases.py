"""Leases on engines from their assignment to a client until the start of its stream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reservation:
    """Expiry of a reservation, on the monotonic clock, and its client."""

    id: str
    until_s: float


class Leases:
    """Leases, at most one per engine; an expired one counts as none."""

    def __init__(self) -> None:
        self._by_engine: dict[str, Reservation] = {}

    def grant(self, engine_id: str, lease_id: str, until_s: float) -> None:
        """Reserve an engine; its existing lease is replaced."""
        self._by_engine[engine_id] = Reservation(lease_id, until_s)

    def holds(self, engine_id: str, now_s: float) -> bool:
        """Return whether the engine is reserved."""
        lease = self._by_engine.get(engine_id)
        if lease is not None and lease.until_s <= now_s:
            del self._by_engine[engine_id]
            return False
        return lease is not None

    def find(self, lease_id: str, now_s: float) -> str | None:
        """Return the engine that this lease reserves."""
        for engine_id, lease in self._by_engine.items():
            if lease.id == lease_id and lease.until_s > now_s:
                return engine_id
        return None

    def release(self, engine_id: str) -> None:
        """Release an engine, because its stream has started or it no longer exists."""
        self._by_engine.pop(engine_id, None)
