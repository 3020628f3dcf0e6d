"""Resource usage of engines, updated in the background."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from touchline.core.errors import NotFound
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.model import Usage
from touchline.engines.model.runtime import Runtime
from touchline.engines.monitoring.answers import EngineUsage, EngineUsageTotal

WATCHED_S = 60.0
"""Seconds for which a client is assumed to be interested after a request."""

EVERY_S, RARELY_S = 2.0, 10.0
MACHINE_MEMORY_BYTES = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class UsageBook:
    """Newest usage of every engine.

    Reads never wait.
    """

    def __init__(self, runtime: Runtime, fleet: Fleet, *, now_s: Callable[[], float]) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._now_s = now_s
        self._newest: Mapping[str, Usage] = {}
        self._asked_s = self._measured_s = -RARELY_S - WATCHED_S

    def by_engine(self) -> dict[str, Usage]:
        """Return the usage of each managed engine by id."""
        self._asked_s = self._now_s()
        return {e.id: self._newest[e.id] for e in self._fleet.managed() if e.id in self._newest}

    def of(self, engine_id: str) -> Usage:
        """Return the usage of one engine.

        Raises NotFound, also if it has not been measured yet.
        """
        found = self.by_engine().get(engine_id)
        if found is None:
            raise NotFound("Container not found or stats unavailable", code="stats_unavailable")
        return found

    async def once(self) -> None:
        """Measure usage, if there are readers or the last measurement is old.

        Raises RuntimeUnavailable.
        """
        now_s = self._now_s()
        watched = now_s - self._asked_s < WATCHED_S
        if not self._fleet.freshness.is_current:
            return
        if watched or now_s - self._measured_s >= RARELY_S:
            self._newest = await self._runtime.usage()
            self._measured_s = now_s


def total(usages: Mapping[str, Usage]) -> EngineUsageTotal:
    """Return the sums of all usages."""
    values = usages.values()
    return {
        "total_cpu_percent": round(sum(each.cpu_percent for each in values), 2),
        "total_memory_usage": sum(each.memory_bytes for each in values),
        "total_network_rx_bytes": sum(each.network_rx_bytes or 0 for each in values),
        "total_network_tx_bytes": sum(each.network_tx_bytes or 0 for each in values),
        "total_block_read_bytes": sum(each.block_read_bytes or 0 for each in values),
        "total_block_write_bytes": sum(each.block_write_bytes or 0 for each in values),
        "container_count": len(usages),
    }


def usage_json(engine_id: str, usage: Usage) -> EngineUsage:
    """Return the usage of one engine.

    Unknown values are 0 there, as clients expect. Without a limit of its own the machine's memory
    is the limit, as Docker reports it.
    """
    limit = usage.memory_limit_bytes or MACHINE_MEMORY_BYTES
    return {
        "container_id": engine_id,
        "cpu_percent": round(usage.cpu_percent, 2),
        "memory_usage": usage.memory_bytes,
        "memory_limit": limit,
        "memory_percent": round(100 * usage.memory_bytes / limit, 2) if limit else 0.0,
        "network_rx_bytes": usage.network_rx_bytes or 0,
        "network_tx_bytes": usage.network_tx_bytes or 0,
        "block_read_bytes": usage.block_read_bytes or 0,
        "block_write_bytes": usage.block_write_bytes or 0,
    }
