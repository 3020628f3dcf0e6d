"""Resource usage of containers.

It is read from the kernel's files where they are on this machine, else from the daemon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.to_thread

from touchline.engines.model.model import Instance, Usage
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.api import DaemonError, DockerApi
from touchline.engines.runtimes.docker.cgroups import NO_LIMIT_BYTES, Counters, read_counters
from touchline.engines.runtimes.docker.json import shares_network
from touchline.engines.runtimes.sense import making_sense

ASKED_AT_A_TIME = 50
"""Maximum number of concurrent statistics requests.

The daemon answers each at its next measurement, once a second: few at a time would take minutes.
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    cpu_ns: int
    at_s: float


class ContainerUsageMeter:
    """Meter of containers; processor time is the difference to the previous call.

    A container that is measured for the first time gets the average since it was created.
    """

    def __init__(self, api: DockerApi) -> None:
        self._api = api
        self._seen: Mapping[str, _Seen] = {}

    async def measure(self, running: Sequence[Instance]) -> Mapping[str, Usage]:
        """Return the usage of each container by id.

        Containers that ended meanwhile are left out.
        """
        counters = await anyio.to_thread.run_sync(_from_files, running)
        at_s = anyio.current_time()
        # Either all files are here or none, depending on the machine that the daemon is on.
        if not counters:
            counters = await self._from_daemon(running)
        usage = {
            instance.id: _usage(counters[instance.id], self._percent(instance, counters, at_s))
            for instance in running
            if instance.id in counters
        }
        self._seen = {each: _Seen(counted.cpu_ns, at_s) for each, counted in counters.items()}
        return usage

    def _percent(self, instance: Instance, counters: Mapping[str, Counters], at_s: float) -> float:
        before = self._seen.get(instance.id)
        cpu_ns = counters[instance.id].cpu_ns
        if before is None or before.cpu_ns > cpu_ns or before.at_s >= at_s:
            age_s = (datetime.now(UTC) - instance.created_at).total_seconds()
            return cpu_ns / 1e9 / max(age_s, 1.0) * 100
        return (cpu_ns - before.cpu_ns) / 1e9 / (at_s - before.at_s) * 100

    async def _from_daemon(self, running: Sequence[Instance]) -> Mapping[str, Counters]:
        found: dict[str, Counters] = {}
        failures: list[RuntimeUnavailable] = []
        waiting = iter(running)

        async def ask() -> None:
            try:
                for instance in waiting:
                    await self._ask(instance, found)
            except RuntimeUnavailable as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for _ in range(min(ASKED_AT_A_TIME, len(running))):
                tasks.start_soon(ask)
        if failures:
            raise failures[0]
        return found

    async def _ask(self, instance: Instance, found: dict[str, Counters]) -> None:
        try:
            statistics = await self._api.statistics(instance.id)
        except DaemonError:
            return  # it ended meanwhile
        counted = read_reported_counters(
            statistics, own_network=not shares_network(instance.network)
        )
        if counted is not None:
            found[instance.id] = counted


@making_sense()
def read_reported_counters(statistics: Mapping[str, Any], *, own_network: bool) -> Counters | None:
    """Return the counters in the daemon's statistics.

    None: the container had ended when they were read.
    """
    memory = statistics.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    detail = memory.get("stats") or {}
    idle = detail.get("total_inactive_file", detail.get("inactive_file", 0))
    limit = memory.get("limit")
    networks = statistics.get("networks") if own_network else None
    blocks = (statistics.get("blkio_stats") or {}).get("io_service_bytes_recursive")
    return Counters(
        cpu_ns=int(statistics["cpu_stats"]["cpu_usage"]["total_usage"]),
        memory_bytes=max(0, int(memory["usage"]) - int(idle)),
        memory_limit_bytes=int(limit) if limit and limit < NO_LIMIT_BYTES else None,
        network_rx_bytes=_sum(networks, "rx_bytes"),
        network_tx_bytes=_sum(networks, "tx_bytes"),
        block_read_bytes=_blocks(blocks, "read"),
        block_write_bytes=_blocks(blocks, "write"),
    )


def _from_files(running: Sequence[Instance]) -> Mapping[str, Counters]:
    read = (
        (each.id, read_counters(each.id, own_network=not shares_network(each.network)))
        for each in running
    )
    return {container: counted for container, counted in read if counted is not None}


def _usage(counted: Counters, cpu_percent: float) -> Usage:
    return Usage(
        cpu_percent=cpu_percent,
        memory_bytes=counted.memory_bytes,
        memory_limit_bytes=counted.memory_limit_bytes,
        network_rx_bytes=counted.network_rx_bytes,
        network_tx_bytes=counted.network_tx_bytes,
        block_read_bytes=counted.block_read_bytes,
        block_write_bytes=counted.block_write_bytes,
    )


def _sum(networks: Mapping[str, Mapping[str, int]] | None, name: str) -> int | None:
    return None if networks is None else sum(network[name] for network in networks.values())


def _blocks(rows: Iterable[Mapping[str, Any]] | None, operation: str) -> int | None:
    if rows is None:
        return None
    return sum(int(row["value"]) for row in rows if str(row["op"]).lower() == operation)
