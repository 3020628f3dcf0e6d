from __future__ import annotations

from typing import Any

import pytest

from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker.usage import read_reported_counters


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (16 << 30, 16 << 30),  # another machine's memory, as its daemon says it
        (0, None),
        (9223372036854771712, None),  # version 1 of cgroups
        ((1 << 64) - 1, None),  # Podman, and daemons on machines without a memory controller
        (None, None),
    ],
)
def test_what_a_daemon_says_where_there_is_no_limit_is_none(
    limit: int | None, expected: int | None
) -> None:
    told = {
        "cpu_stats": {"cpu_usage": {"total_usage": 1}},
        "memory_stats": {"usage": 5, "limit": limit},
    }
    counted = read_reported_counters(told, own_network=False)
    assert counted is not None
    assert counted.memory_limit_bytes == expected


STATISTICS: dict[str, Any] = {
    "cpu_stats": {"cpu_usage": {"total_usage": 3_000_000_000}},
    "memory_stats": {"usage": 5000, "stats": {"inactive_file": 2000}},
    "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"op": "Read", "value": 7},
            {"op": "read", "value": 1},
            {"op": "Write", "value": 9},
        ]
    },
}


def test_files_that_can_be_dropped_are_no_usage_and_interfaces_count_together() -> None:
    counted = read_reported_counters(STATISTICS, own_network=True)
    assert counted is not None
    assert (counted.cpu_ns, counted.memory_bytes) == (3_000_000_000, 3000)
    assert (counted.network_rx_bytes, counted.network_tx_bytes) == (11, 22)
    assert (counted.block_read_bytes, counted.block_write_bytes) == (8, 9)


def test_the_traffic_of_a_shared_network_is_nobodys() -> None:
    counted = read_reported_counters(STATISTICS, own_network=False)
    assert counted is not None
    assert (counted.network_rx_bytes, counted.network_tx_bytes) == (None, None)


def test_a_container_that_has_ended_has_no_usage() -> None:
    assert read_reported_counters({"memory_stats": {}}, own_network=True) is None
    with pytest.raises(RuntimeUnavailable, match="invalid"):
        read_reported_counters({"memory_stats": {"usage": "much"}}, own_network=True)
