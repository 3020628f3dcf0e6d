"""The host's figures come from memory, and a disk that cannot be read is told, not hidden."""

import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.capture.host.host import (
    GIB,
    STALE_AFTER_S,
    CpuMeter,
    HostSampler,
)
from touchline.media.storage.diskspace import DiskSpace

SOUND: dict[str, Any] = {"floor_bytes": 1, "find_fault": lambda: None}


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def half_full(_path: Path) -> DiskSpace:
    free_bytes = 100 * GIB + GIB // 2
    return DiskSpace(200 * GIB, 200 * GIB - free_bytes, free_bytes)


@pytest.mark.anyio
async def test_health_has_exactly_the_keys_of_the_contract(tmp_path: Path) -> None:
    host = HostSampler(tmp_path, read_disk=half_full, **SOUND)
    await host.once()
    health: dict[str, Any] = dict(host.health())
    assert set(health) == {"status", "system"}
    assert health["status"] == "healthy"
    assert set(health["system"]) == {
        "cpu_percent",
        "memory_percent",
        "memory_available_gb",
        "disk_free_gb",
        "disk_percent",
    }
    assert health["system"]["disk_free_gb"] == 100.5
    assert health["system"]["disk_percent"] == 49.8
    assert all(isinstance(value, float) for value in health["system"].values())


@pytest.mark.anyio
async def test_the_figures_of_the_real_disk_and_memory_are_plausible(tmp_path: Path) -> None:
    host = HostSampler(tmp_path, **SOUND)
    await host.once()
    system = host.health()["system"]
    assert system is not None
    assert 0 <= system["cpu_percent"] <= 100
    assert 0 < system["memory_percent"] < 100
    assert system["memory_available_gb"] > 0
    assert 0 <= system["disk_percent"] <= 100
    assert host.disk_free_bytes is not None
    assert system["disk_free_gb"] == round(host.disk_free_bytes / GIB, 2)


@pytest.mark.anyio
async def test_a_missing_recordings_folder_is_an_error_in_a_normal_answer(tmp_path: Path) -> None:
    host = HostSampler(tmp_path / "unmounted", **SOUND)
    await host.once()
    health: dict[str, Any] = dict(host.health())
    assert health["status"] == "error"
    assert "unmounted: No such file or directory" in health["detail"]
    assert set(health) == {"status", "detail"}
    assert host.disk_free_bytes is None


@pytest.mark.anyio
async def test_the_disk_is_healthy_again_once_it_can_be_read(tmp_path: Path) -> None:
    host = HostSampler(tmp_path / "disk", **SOUND)
    await host.once()
    assert host.health()["status"] == "error"
    (tmp_path / "disk").mkdir()
    await host.once()
    assert host.health()["status"] == "healthy"


@pytest.mark.anyio
async def test_a_disk_under_the_floor_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    host = HostSampler(tmp_path, read_disk=half_full, **{**SOUND, "floor_bytes": 1 << 60})
    await host.once()
    health: dict[str, Any] = dict(host.health())
    assert health["status"] == "error"
    assert "full" in health["detail"]
    assert "Delete matches" in health["detail"]
    assert health["system"]["disk_free_gb"] == 100.5, "the figures are there all the same"


def test_before_the_first_sample_health_says_so(tmp_path: Path) -> None:
    host = HostSampler(tmp_path, **SOUND)
    assert host.health() == {"status": "error", "detail": "The host has not been sampled yet"}
    assert host.disk_free_bytes is None


@pytest.mark.anyio
async def test_old_figures_do_not_stand_for_a_sampler_that_hangs(tmp_path: Path) -> None:
    clock = Clock()
    host = HostSampler(tmp_path, clock=clock, read_disk=half_full, **SOUND)
    await host.once()
    clock.now_s += STALE_AFTER_S
    assert host.health()["status"] == "healthy"
    clock.now_s += 2.0
    assert host.health() == {
        "status": "error",
        "detail": "The host has not been sampled for 12 s",
    }
    assert host.disk_free_bytes is None


@pytest.mark.anyio
async def test_health_is_answered_and_a_stop_goes_on_while_the_disk_hangs(tmp_path: Path) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def hanging(path: Path) -> DiskSpace:
        asked.set()
        assert let_go.wait(30)
        return half_full(path)

    host = HostSampler(tmp_path, read_disk=hanging, **SOUND)
    try:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(host.once)
                while not asked.is_set():
                    await anyio.sleep(0.005)
                assert host.health()["status"] == "error"
                tasks.cancel_scope.cancel()
    finally:
        let_go.set()


def test_the_cpu_meter_measures_between_its_own_readings() -> None:
    readings = iter([(10.0, 100.0), (13.0, 104.0), (13.0, 104.0), (13.5, 114.0)])
    meter = CpuMeter(lambda: next(readings))
    assert meter.percent() == 75.0
    assert meter.percent() == 75.0, "no tick has passed"
    assert meter.percent() == 5.0


def test_the_cpu_meter_stays_between_nothing_and_everything() -> None:
    # A kernel that corrects its idle time backwards makes busy time jump.
    readings = iter([(10.0, 100.0), (9.0, 101.0), (12.0, 102.0)])
    meter = CpuMeter(lambda: next(readings))
    assert meter.percent() == 0.0
    assert meter.percent() == 100.0
