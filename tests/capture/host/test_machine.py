"""The machine's figures: a Jetson's where it is one, and nothing made up elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from touchline.capture.host.answers import PowerMode
from touchline.capture.host.host import GIB
from touchline.capture.host.machine import MachineSampler, clocks, power_mode, zones_c
from touchline.media.storage.diskspace import DiskSpace

NO_STORAGE = {"total_gb": 0.0, "used_gb": 0.0, "free_gb": 0.0, "percent": 0.0}


def put(root: Path, path: str, content: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def put_clocks(root: Path, *khz: int) -> None:
    for cpu, value in enumerate(khz):
        put(root, f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq", f"{value}\n")


async def metrics(root: Path, disk: DiskSpace | None = None) -> dict[str, Any]:
    sampler = MachineSampler(lambda: disk, root=root)
    await sampler.once()
    return dict(sampler.metrics())


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pmode:0002 fmode:quiet\n", PowerMode(name="MAXN_SUPER", id="2", is_max=True)),
        ("pmode:0000\n", PowerMode(name="15W", id="0", is_max=False)),
        ("fmode:quiet\npmode:0001\n", PowerMode(name="25W", id="1", is_max=False)),
        ("pmode:0003", PowerMode(name="7W", id="3", is_max=False)),
        ("pmode:0012", PowerMode(name="Mode 12", id="12", is_max=False)),
        ("something else", PowerMode(name="Unknown", id="N/A", is_max=False)),
    ],
)
def test_the_power_mode_is_the_one_that_was_set(
    tmp_path: Path, status: str, expected: PowerMode
) -> None:
    put(tmp_path, "var/lib/nvpmodel/status", status)
    assert power_mode(tmp_path) == expected


@pytest.mark.anyio
async def test_a_jetson_shows_six_cores_of_two_kinds(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/nvpmodel/status", "pmode:0002\n")
    put_clocks(tmp_path, 1_000_000, 1_728_000, 1_728_000, 1_728_000, 729_600, 115_200, 9, 9)
    told = await metrics(tmp_path)
    assert told["power_mode"] == {"name": "MAXN_SUPER", "id": "2", "is_max": True}
    assert [c["type"] for c in told["cpu_frequencies"]] == ["performance"] * 4 + ["efficiency"] * 2
    assert told["cpu_frequencies"][5] == {"cpu": 5, "freq_ghz": 0.115, "type": "efficiency"}
    assert told["cpu_avg"] == {"performance": 1.546, "efficiency": 0.422}


def test_cores_are_in_the_order_of_their_numbers_and_one_that_is_off_is_left_out(
    tmp_path: Path,
) -> None:
    put_clocks(tmp_path, *range(1_000_000, 13_000_000, 1_000_000))
    (tmp_path / "sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq").unlink()
    put(tmp_path, "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", "1\n")
    found = list(clocks(tmp_path))
    assert [clock.cpu for clock in found] == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert {clock.kind for clock in found} == {"performance"}


def test_the_kernel_knows_the_small_cores_of_an_arm_and_of_an_intel(tmp_path: Path) -> None:
    arm, intel = tmp_path / "arm", tmp_path / "intel"
    for root in (arm, intel):
        put_clocks(root, *[1_000_000] * 4)
    for cpu, capacity in enumerate((446, 446, 1024, 998)):
        put(arm, f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity", f"{capacity}\n")
    put(intel, "sys/devices/cpu_atom/cpus", "1,3-3\n")
    small = {
        root.name: [clock.cpu for clock in clocks(root) if clock.kind == "efficiency"]
        for root in (arm, intel)
    }
    assert small == {"arm": [0, 1], "intel": [1, 3]}


def test_a_zone_that_is_off_or_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    for zone, thousandths in enumerate(("49812", "-256000", "51250", "", "0")):
        put(tmp_path, f"sys/class/thermal/thermal_zone{zone}/temp", f"{thousandths}\n")
    put(tmp_path, "sys/class/thermal/thermal_zone10/temp", "40000\n")
    (tmp_path / "sys/class/thermal/thermal_zone11").mkdir()
    assert list(zones_c(tmp_path)) == [49.8, 51.2, 0.0, 40.0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("hottest", "warning", "critical"),
    [(75_000, False, False), (75_100, True, False), (85_000, True, False), (85_100, True, True)],
)
async def test_warning_and_critical_begin_above_75_and_85_degrees(
    tmp_path: Path, hottest: int, *, warning: bool, critical: bool
) -> None:
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "30000\n")
    put(tmp_path, "sys/class/thermal/thermal_zone1/temp", f"{hottest}\n")
    assert (await metrics(tmp_path))["temperature"] == {
        "max_c": hottest / 1000,
        "zones": [30.0, hottest / 1000],
        "warning": warning,
        "critical": critical,
    }


@pytest.mark.anyio
async def test_a_machine_that_tells_nothing_has_honest_zeros(tmp_path: Path) -> None:
    told = await metrics(tmp_path)
    assert told["power_mode"] == {"name": "Unknown", "id": "N/A", "is_max": False}
    assert (told["cpu_frequencies"], told["storage"]) == ([], NO_STORAGE)
    assert told["cpu_avg"] == {"performance": 0.0, "efficiency": 0.0}
    assert told["temperature"] == {"max_c": 0.0, "zones": [], "warning": False, "critical": False}
    assert 0.0 <= told["cpu_usage"]["overall"] <= 100.0
    memory = told["memory"]
    assert memory["used_gb"] == pytest.approx(memory["total_gb"] - memory["available_gb"], abs=0.02)
    assert memory["percent"] == pytest.approx(100 * memory["used_gb"] / memory["total_gb"], abs=0.5)


@pytest.mark.anyio
async def test_storage_is_the_whole_filesystem_and_its_percentage_that_of_df(
    tmp_path: Path,
) -> None:
    disk = DiskSpace(size_bytes=200 * GIB, used_bytes=140 * GIB, free_bytes=50 * GIB)
    assert (await metrics(tmp_path, disk))["storage"] == {
        "total_gb": 200.0,
        "used_gb": 150.0,  # with the 10 GiB that are root's alone
        "free_gb": 50.0,
        "percent": 73.7,
    }


def test_before_the_first_sample_every_figure_is_zero() -> None:
    told = MachineSampler(lambda: None).metrics()
    assert told["memory"] == {"total_gb": 0.0, "used_gb": 0.0, "percent": 0.0, "available_gb": 0.0}
    assert told["cpu_usage"] == {"overall": 0.0}
