"""The kernel's counters, in the files of both versions of cgroups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from touchline.engines.runtimes.docker.cgroups import Counters, read_counters

ID = "5e4777288cde" * 5 + "beef"

V2: Mapping[str, str] = {
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "memory.current": "5000000\n",
    "memory.max": "67108864\n",
    "memory.stat": "anon 4000000\ninactive_file 1000000\nactive_file 5\n",
    "io.stat": "254:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2\n",
    "cgroup.procs": "4711\n4712\n",
}
V1: Mapping[str, str] = {
    "cpuacct/{}/cpuacct.usage": "1500000000\n",
    "memory/{}/memory.usage_in_bytes": "5000000\n",
    "memory/{}/memory.limit_in_bytes": "67108864\n",
    "memory/{}/memory.stat": "cache 2\ninactive_file 7\ntotal_inactive_file 1000000\n",
    "memory/{}/cgroup.procs": "4711\n4712\n",
    "blkio/{}/blkio.throttle.io_service_bytes": (
        "254:0 Read 100\n254:0 Write 20\n254:0 Sync 9\n8:0 Read 1\n8:0 Write 2\nTotal 123\n"
    ),
}
NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo:   999       9    0    0    0     0          0         0      999       9    0    0
  eth0:   300       3    0    0    0     0          0         0       70       1    0    0
  eth1:    30       3    0    0    0     0          0         0        7       1    0    0
"""

EXPECTED = Counters(
    cpu_ns=1_500_000_000,
    memory_bytes=4_000_000,
    memory_limit_bytes=67_108_864,
    network_rx_bytes=330,
    network_tx_bytes=77,
    block_read_bytes=101,
    block_write_bytes=22,
)


def write(root: Path, files: Mapping[str, str], place: str) -> Path:
    """cgroups in `root`/cgroup and processes in `root`/proc; the former."""
    for name, text in files.items():
        file = root / "cgroup" / (name.format(place) if "{}" in name else f"{place}/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "proc/4711/net").mkdir(parents=True, exist_ok=True)
    (root / "proc/4711/net/dev").write_text(NET_DEV)
    return root / "cgroup"


def read(root: Path, *, own_network: bool = True) -> Counters | None:
    return read_counters(
        ID, own_network=own_network, cgroups=root / "cgroup", processes=root / "proc"
    )


@pytest.mark.parametrize("place", [f"docker/{ID}", f"system.slice/docker-{ID}.scope"])
@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_both_versions_and_both_drivers_say_the_same(
    tmp_path: Path, files: Mapping[str, str], place: str
) -> None:
    write(tmp_path, files, place)
    assert read(tmp_path) == EXPECTED


@pytest.mark.parametrize(
    ("files", "name", "text"),
    [
        (V2, "memory.max", "max\n"),
        (V1, "memory/{}/memory.limit_in_bytes", "9223372036854771712\n"),
    ],
)
def test_no_limit_is_none(tmp_path: Path, files: Mapping[str, str], name: str, text: str) -> None:
    write(tmp_path, {**files, name: text}, f"docker/{ID}")
    counted = read(tmp_path)
    assert counted is not None
    assert counted.memory_limit_bytes is None


def test_the_traffic_of_a_shared_network_is_nobodys(tmp_path: Path) -> None:
    write(tmp_path, V1, f"docker/{ID}")
    counted = read(tmp_path, own_network=False)
    assert counted is not None
    assert (counted.network_rx_bytes, counted.network_tx_bytes) == (None, None)
    assert counted.cpu_ns == EXPECTED.cpu_ns


def test_what_the_kernel_does_not_count_is_not_known(tmp_path: Path) -> None:
    files = {name: text for name, text in V1.items() if not name.startswith("blkio")}
    write(tmp_path, {**files, "memory/{}/cgroup.procs": ""}, f"docker/{ID}")
    counted = read(tmp_path)
    assert counted is not None
    assert (counted.block_read_bytes, counted.network_rx_bytes) == (None, None)


def test_a_container_that_is_not_here_has_no_counters(tmp_path: Path) -> None:
    write(tmp_path, V1, "docker/another")
    assert read(tmp_path) is None
