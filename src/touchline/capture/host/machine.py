"""Clocks, temperatures, power mode, load and memory of the machine.

Sampled in the background and answered from memory. What a machine does not have is reported as
absent (no entries, zeros), never guessed, and a value that cannot be read does not affect the
others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
import psutil  # type: ignore[import-untyped]

from touchline.capture.host.answers import CoreKind, Memory, PowerMode, Storage, SystemMetrics
from touchline.capture.host.host import GIB, CpuMeter
from touchline.media.storage.diskspace import DiskSpace

SAMPLE_EVERY_S = 2.0

WARM_C, HOT_C = 75.0, 85.0
_PLAUSIBLE_C = (-60.0, 200.0)
"""Plausible range of a temperature; a Jetson zone that is off reports -256 °C."""

_JETSON_CPUS = 6
_JETSON_PERFORMANCE_CPUS = 4
_POWER_MODES: Mapping[str, str] = {"0": "15W", "1": "25W", "2": "MAXN_SUPER", "3": "7W"}
_FASTEST_MODE = "2"


def _unknown_power_mode() -> PowerMode:
    return {"name": "Unknown", "id": "N/A", "is_max": False}


@dataclass(frozen=True)
class CoreClock:
    """Current clock of one processor core."""

    cpu: int
    freq_ghz: float
    kind: CoreKind


@dataclass(frozen=True)
class MachineSample:
    """Readings taken at one instant."""

    power_mode: PowerMode = field(default_factory=_unknown_power_mode)
    clocks: tuple[CoreClock, ...] = ()
    zones_c: tuple[float, ...] = ()
    cpu_percent: float = 0.0
    memory_total_bytes: int = 0
    memory_available_bytes: int = 0


class MachineSampler:
    """Sampler of machine metrics, which keeps the latest sample.

    `disk` is called for the recordings' disk at each answer. Keep `once` running every
    `SAMPLE_EVERY_S`; `metrics` answers from memory.
    """

    def __init__(self, disk: Callable[[], DiskSpace | None], *, root: Path = Path("/")) -> None:
        """Create a sampler; `root` is the directory that contains `sys`, `var` and `proc`."""
        self._disk = disk
        self._root = root
        self._cpu = CpuMeter()
        self.sample = MachineSample()

    async def once(self) -> None:
        """Take a sample in a thread, because reading a sensor may take as long as its bus does."""
        self.sample = await anyio.to_thread.run_sync(self._take, abandon_on_cancel=True)

    def metrics(self) -> SystemMetrics:
        """Return the body of `GET /api/v1/system-metrics`."""
        sample = self.sample
        hottest_c = max(sample.zones_c, default=0.0)
        return {
            "power_mode": sample.power_mode,
            "cpu_frequencies": [
                {"cpu": clock.cpu, "freq_ghz": clock.freq_ghz, "type": clock.kind}
                for clock in sample.clocks
            ],
            "cpu_avg": {
                "performance": _mean_ghz(sample.clocks, "performance"),
                "efficiency": _mean_ghz(sample.clocks, "efficiency"),
            },
            "temperature": {
                "max_c": hottest_c,
                "zones": list(sample.zones_c),
                "warning": hottest_c > WARM_C,
                "critical": hottest_c > HOT_C,
            },
            "cpu_usage": {"overall": sample.cpu_percent},
            "memory": _memory(sample.memory_total_bytes, sample.memory_available_bytes),
            "storage": _storage(self._disk()),
        }

    def figures(self) -> dict[str, float | None]:
        """Return the machine's part of the metrics history; None for unknown values."""
        sample, disk = self.sample, self._disk()
        sampled = sample.memory_total_bytes > 0
        used_bytes = sample.memory_total_bytes - sample.memory_available_bytes
        return {
            "cpu_percent": sample.cpu_percent if sampled else None,
            "memory_percent": 100 * used_bytes / sample.memory_total_bytes if sampled else None,
            "disk_percent": None if disk is None else disk.used_percent,
            "temperature_c": max(sample.zones_c, default=None),
        }

    def _take(self) -> MachineSample:
        memory = psutil.virtual_memory()
        return MachineSample(
            power_mode=power_mode(self._root),
            clocks=tuple(clocks(self._root)),
            zones_c=tuple(zones_c(self._root)),
            cpu_percent=self._cpu.percent(),
            memory_total_bytes=memory.total,
            memory_available_bytes=memory.available,
        )


def power_mode(root: Path) -> PowerMode:
    """Return the power mode of a Jetson; unknown on every other machine."""
    found = re.search(r"^pmode:(\d+)", _text(root / "var/lib/nvpmodel/status"), re.MULTILINE)
    if found is None:
        return _unknown_power_mode()
    number = str(int(found.group(1)))
    name = _POWER_MODES.get(number, f"Mode {number}")
    return {"name": name, "id": number, "is_max": number == _FASTEST_MODE}


def clocks(root: Path) -> Iterator[CoreClock]:
    """Return the clock of every core that reports it, in the order of core numbers.

    For a Jetson the contract requires the first six, four of them as performance cores; elsewhere
    the kernel reports which cores are the small ones.
    """
    folder = root / "sys/devices/system/cpu"
    jetson = _is_jetson(root)
    numbers = sorted(int(path.name[3:]) for path in folder.glob("cpu[0-9]*") if _is_cpu(path.name))
    small = _small_cores(root, numbers)
    for cpu in numbers:
        khz = _number(folder / f"cpu{cpu}/cpufreq/scaling_cur_freq")
        if khz is None or (jetson and cpu >= _JETSON_CPUS):
            continue
        is_small = cpu >= _JETSON_PERFORMANCE_CPUS if jetson else cpu in small
        yield CoreClock(cpu, round(khz / 1e6, 3), "efficiency" if is_small else "performance")


def zones_c(root: Path) -> Iterator[float]:
    """Return the temperature of every readable thermal zone, in the order of zone numbers."""
    folder = root / "sys/class/thermal"
    names = [path.name.removeprefix("thermal_zone") for path in folder.glob("thermal_zone*")]
    for number in sorted(int(name) for name in names if name.isdecimal()):
        thousandths = _number(folder / f"thermal_zone{number}/temp")
        if thousandths is None:
            continue
        celsius = thousandths / 1000
        if _PLAUSIBLE_C[0] < celsius < _PLAUSIBLE_C[1]:
            yield round(celsius, 1)


def _is_jetson(root: Path) -> bool:
    return "NVIDIA" in _text(root / "proc/device-tree/model") or bool(
        _text(root / "var/lib/nvpmodel/status")
    )


def _is_cpu(name: str) -> bool:
    return name[3:].isdecimal()


def _small_cores(root: Path, numbers: list[int]) -> set[int]:
    atoms = _cpu_list(_text(root / "sys/devices/cpu_atom/cpus"))
    if atoms:  # Intel's hybrids
        return atoms
    folder = root / "sys/devices/system/cpu"  # ARM's
    capacities = {cpu: _number(folder / f"cpu{cpu}/cpu_capacity") or 0 for cpu in numbers}
    largest = max(capacities.values(), default=0)
    # The cores of one design differ by a few percent where some may clock higher.
    return {cpu for cpu, capacity in capacities.items() if capacity < 0.75 * largest}


def _cpu_list(text: str) -> set[int]:
    """Parse core numbers in the kernel's form `0-3,8`."""
    cpus: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", text):
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def _mean_ghz(all_clocks: tuple[CoreClock, ...], kind: CoreKind) -> float:
    found = [clock.freq_ghz for clock in all_clocks if clock.kind == kind]
    return round(sum(found) / len(found), 3) if found else 0.0


def _memory(total_bytes: int, available_bytes: int) -> Memory:
    used_bytes = total_bytes - available_bytes
    return {
        "total_gb": round(total_bytes / GIB, 2),
        "used_gb": round(used_bytes / GIB, 2),
        "percent": round(100 * used_bytes / total_bytes, 1) if total_bytes else 0.0,
        "available_gb": round(available_bytes / GIB, 2),
    }


def _storage(disk: DiskSpace | None) -> Storage:
    """Return the contract's figures; the percentage excludes blocks reserved for root, as df's."""
    if disk is None:
        return {"total_gb": 0.0, "used_gb": 0.0, "free_gb": 0.0, "percent": 0.0}
    return {
        "total_gb": round(disk.size_bytes / GIB, 2),
        "used_gb": round((disk.size_bytes - disk.free_bytes) / GIB, 2),
        "free_gb": round(disk.free_bytes / GIB, 2),
        "percent": disk.used_percent,
    }


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    """Return the file's text; empty if it is missing or its driver returns an error."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
