"""What processes take of the machine, counted over their whole session."""

from __future__ import annotations

import time
from collections.abc import Mapping

from touchline.engines.model import Usage
from touchline.engines.runtimes import procfs


class UsageMeter:
    """Remembers the last reading of each: CPU is what was used between two."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, int]] = {}

    def measure(self, leaders: Mapping[str, tuple[int, int | None]]) -> Mapping[str, Usage]:
        """By id, of the processes that run; `leaders` has their number and their limit. Blocking.

        The first reading of a process says what it has used so far, spread over its life.
        """
        sessions = procfs.by_session()
        now_s = time.monotonic()
        boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        found = {}
        for record_id, (pid, limit_bytes) in leaders.items():
            members = sessions.get(pid, [])
            leader = next((stat for stat in members if stat.pid == pid), None)
            if leader is None:
                continue
            ticks = sum(stat.cpu_ticks for stat in members)
            life_s = boot_s - leader.start_ticks / procfs.TICKS_PER_S
            then_s, before = self._last.get(record_id, (now_s - max(life_s, 0.01), 0))
            self._last[record_id] = (now_s, ticks)
            used_s = max(0, ticks - before) / procfs.TICKS_PER_S
            blocks = [procfs.io_bytes(stat.pid) for stat in members]
            known = [each for each in blocks if each is not None]
            found[record_id] = Usage(
                cpu_percent=100 * used_s / max(now_s - then_s, 0.01),
                memory_bytes=sum(stat.rss_bytes for stat in members),
                memory_limit_bytes=limit_bytes,
                network_rx_bytes=None,
                network_tx_bytes=None,
                block_read_bytes=sum(each[0] for each in known) if known else None,
                block_write_bytes=sum(each[1] for each in known) if known else None,
            )
        return found

    def forget(self, record_id: str) -> None:
        """It is gone."""
        self._last.pop(record_id, None)
