"""Answers about the machine: its health and its metrics."""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, example


@with_config(ANSWER)
class HostFigures(TypedDict):
    """Load, memory and disk of the machine."""

    cpu_percent: float
    """CPU load over all cores in percent, over the last sample."""
    memory_percent: float
    """Memory in use, in percent."""
    memory_available_gb: float
    """Memory available to programs, in GiB."""
    disk_free_gb: float
    """Free space on the recordings disk, in GiB."""
    disk_percent: float
    """Recordings disk in use, in percent."""


@with_config(
    example(
        {
            "status": "healthy",
            "system": {
                "cpu_percent": 7.6,
                "memory_percent": 38.5,
                "memory_available_gb": 4.58,
                "disk_free_gb": 135.61,
                "disk_percent": 38.8,
            },
        }
    )
)
class HostHealth(TypedDict):
    """Health of the machine. The HTTP status is always 200; `status` has the result."""

    status: Literal["healthy", "error"]
    """`error` if the machine cannot be read, or its disk is not fit for recording."""
    system: NotRequired[HostFigures | None]
    """Metrics; missing if the machine cannot be read."""
    detail: NotRequired[str | None]
    """Error message; only on an error."""


@with_config(ANSWER)
class PowerMode(TypedDict):
    """Power mode of a Jetson."""

    name: str
    """Power mode: 15W, 25W, MAXN_SUPER, 7W or `Mode N`; `Unknown` on other machines."""
    id: str
    """Number of the power mode; `N/A` on other machines."""
    is_max: bool
    """Whether this is the fastest mode."""


CoreKind = Literal["performance", "efficiency"]


@with_config(ANSWER)
class CpuFrequency(TypedDict):
    """Clock of one CPU core."""

    cpu: int
    """Number of the core in the kernel."""
    freq_ghz: float
    """Current clock in GHz."""
    type: CoreKind
    """Type of the core: performance or efficiency."""


@with_config(ANSWER)
class CpuAverage(TypedDict):
    """Mean clock per type of core; 0 if unknown."""

    performance: float
    """GHz."""
    efficiency: float
    """GHz."""


@with_config(ANSWER)
class Temperature(TypedDict):
    """Readable thermal zones."""

    max_c: float
    """Highest temperature; 0 without any zone."""
    zones: list[float]
    """Temperature of each zone in degrees Celsius."""
    warning: bool
    """Whether the maximum exceeds 75 °C."""
    critical: bool
    """Whether the maximum exceeds 85 °C."""


@with_config(ANSWER)
class CpuUsage(TypedDict):
    """CPU load."""

    overall: float
    """CPU load over all cores in percent, over the last sample."""


@with_config(ANSWER)
class Memory(TypedDict):
    """Memory of the machine, in GiB."""

    total_gb: float
    """Total memory."""
    used_gb: float
    """Memory not available to programs."""
    percent: float
    """Memory in use, in percent."""
    available_gb: float
    """Memory available to programs."""


@with_config(ANSWER)
class Storage(TypedDict):
    """Recordings disk, in GiB; zeros while it cannot be read."""

    total_gb: float
    """Size of the filesystem."""
    used_gb: float
    """Used space: `total_gb` minus `free_gb`."""
    free_gb: float
    """Space available for writing."""
    percent: float
    """Space in use, in percent, as reported by df."""


@with_config(
    example(
        {
            "power_mode": {"name": "MAXN_SUPER", "id": "2", "is_max": True},
            "cpu_frequencies": [{"cpu": 0, "freq_ghz": 1.728, "type": "performance"}],
            "cpu_avg": {"performance": 1.728, "efficiency": 0.0},
            "temperature": {
                "max_c": 51.3,
                "zones": [49.8, 51.3],
                "warning": False,
                "critical": False,
            },
            "cpu_usage": {"overall": 41.7},
            "memory": {"total_gb": 7.44, "used_gb": 3.1, "percent": 41.7, "available_gb": 4.34},
            "storage": {"total_gb": 228.0, "used_gb": 92.39, "free_gb": 135.61, "percent": 40.5},
        }
    )
)
class SystemMetrics(TypedDict):
    """Metrics of the machine. Missing hardware is reported as empty or zero."""

    power_mode: PowerMode
    """Power mode of a Jetson."""
    cpu_frequencies: list[CpuFrequency]
    """Clocks of the cores; on a Jetson, of the first six."""
    cpu_avg: CpuAverage
    """Mean clocks."""
    temperature: Temperature
    """Temperatures."""
    cpu_usage: CpuUsage
    """CPU load."""
    memory: Memory
    """Memory of the machine."""
    storage: Storage
    """Recordings disk."""
