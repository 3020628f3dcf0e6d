"""Engines that are kept for a client, between being handed out and its stream's start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """Until when an engine is kept, on the monotonic clock, and for whom."""

    id: str
    until_s: float


class Leases:
    """At most one lease an engine; one that has run out is none. Belongs to the event loop."""

    def __init__(self) -> None:
        self._by_engine: dict[str, Lease] = {}

    def grant(self, engine_id: str, lease_id: str, until_s: float) -> None:
        """Keep the engine; a lease that it has is replaced."""
        self._by_engine[engine_id] = Lease(lease_id, until_s)

    def holds(self, engine_id: str, now_s: float) -> bool:
        """Whether the engine is kept for somebody."""
        lease = self._by_engine.get(engine_id)
        if lease is not None and lease.until_s <= now_s:
            del self._by_engine[engine_id]
            return False
        return lease is not None

    def find(self, lease_id: str, now_s: float) -> str | None:
        """The engine that this lease keeps."""
        for engine_id, lease in self._by_engine.items():
            if lease.id == lease_id and lease.until_s > now_s:
                return engine_id
        return None

    def release(self, engine_id: str) -> None:
        """Its stream has started, or it is gone."""
        self._by_engine.pop(engine_id, None)
