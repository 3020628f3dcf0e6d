"""Resource usage of processes, counted over their whole session."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from touchline.engines.model.model import Usage
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.kernel.memorylimit import MemoryLimits
from touchline.engines.runtimes.process.kernel.procfs import ProcessStat
from touchline.engines.runtimes.process.records import ProcessRecord

_SHORTEST_S = 0.01


class ProcessUsageMeter:
    """Meter that keeps the last reading of each process.

    CPU usage is the difference between two readings.
    """

    def __init__(self, limits: MemoryLimits) -> None:
        self._limits = limits
        self._last: dict[str, tuple[float, int]] = {}

    def measure(self, records: Sequence[ProcessRecord]) -> Mapping[str, Usage]:
        """Return the usage of the running processes by id. Blocking.

        The first reading of a process gives its usage so far, averaged over its life.
        """
        sessions = procfs.by_session()
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        last, self._last = self._last, {}
        found = {}
        for record in records:
            process = record.process
            members = sessions.get(process.pid, []) if process is not None else []
            leader = next((stat for stat in members if stat.pid == stat.session), None)
            if process is None or leader is None or leader.start_ticks != process.start_ticks:
                continue
            ticks = sum(stat.cpu_ticks for stat in members)
            born_s = leader.start_ticks / procfs.TICKS_PER_S
            then_s, before = last.get(record.id, (born_s, 0))
            self._last[record.id] = (now_s, ticks)
            used_s = max(0, ticks - before) / procfs.TICKS_PER_S
            percent = 100 * used_s / max(now_s - then_s, _SHORTEST_S)
            found[record.id] = self._usage(record, members, percent)
        return found

    def _usage(
        self, record: ProcessRecord, members: Sequence[ProcessStat], cpu_percent: float
    ) -> Usage:
        limited = record.memory_limit_bytes is not None
        blocks = [
            transferred
            for stat in members
            if (transferred := procfs.io_bytes(stat.pid)) is not None
        ]
        return Usage(
            cpu_percent=cpu_percent,
            # The group's own count lacks memory allocated before the process joined it.
            memory_bytes=sum(stat.rss_bytes for stat in members),
            memory_limit_bytes=self._limits.limit_of(record.id) if limited else None,
            network_rx_bytes=None,
            network_tx_bytes=None,
            block_read_bytes=sum(read for read, _ in blocks) if blocks else None,
            block_write_bytes=sum(written for _, written in blocks) if blocks else None,
        )
