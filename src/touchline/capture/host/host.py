"""Load, memory and disk of the machine, sampled in the background and served from memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import psutil  # type: ignore[import-untyped]

from touchline.capture.host.answers import HostHealth
from touchline.capture.library.recordingsdisk import DiskFault
from touchline.media.storage.diskspace import DiskSpace, read_space

SAMPLE_EVERY_S = 2.0
STALE_AFTER_S = 10.0
"""Age in seconds at which the last sample counts as stale.

A sampler silent for this long hangs on the disk; its last good figures must not hide that.
"""

GIB = 1 << 30


@dataclass(frozen=True)
class HostSample:
    """Readings taken at one instant.

    `fault` describes what is wrong with the disk, or is None.
    """

    taken_s: float
    cpu_percent: float
    memory_percent: float
    memory_available_bytes: int
    disk: DiskSpace | None
    fault: str | None = None


class CpuMeter:
    """Meter of the whole machine's processor use between two of its own readings.

    psutil keeps the last reading per thread, so its figure is 0.0 whenever a pool provides another
    thread. A meter keeps its own, so each user of one measures its own interval.
    """

    def __init__(self, read: Callable[[], tuple[float, float]] | None = None) -> None:
        self._read = read or _busy_and_total_s
        self._last = self._read()
        self._percent = 0.0

    def percent(self) -> float:
        """Return the percentage since the last call, 0 to 100.

        If no tick has passed, the last figure is returned again.
        """
        busy_s, total_s = self._read()
        last_busy_s, last_total_s = self._last
        if total_s > last_total_s:
            share = (busy_s - last_busy_s) / (total_s - last_total_s)
            self._percent = round(100 * min(1.0, max(0.0, share)), 1)
            self._last = (busy_s, total_s)
        return self._percent


class HostSampler:
    """Sampler of the recording machine, which keeps the latest sample.

    Await `once` before the server is ready and keep it running every `SAMPLE_EVERY_S`; everything
    else is answered from memory.
    """

    def __init__(
        self,
        recordings_dir: Path,
        *,
        floor_bytes: int,
        find_fault: Callable[[], DiskFault | None],
        clock: Callable[[], float] = time.monotonic,
        read_disk: Callable[[Path], DiskSpace] = read_space,
    ) -> None:
        self._recordings_dir = recordings_dir
        self._floor_bytes = floor_bytes
        self._find_fault = find_fault
        self._clock = clock
        self._read_disk = read_disk
        self._cpu = CpuMeter()
        self._sample: HostSample | None = None

    async def once(self) -> None:
        """Take a sample in a thread.

        A disk that cannot be read becomes part of the sample.
        """
        # statvfs hangs on a disconnected network disk: a stop must not wait for it.
        self._sample = await anyio.to_thread.run_sync(self._take, abandon_on_cancel=True)

    @property
    def sample(self) -> HostSample | None:
        """Latest sample, or None before the first."""
        return self._sample

    @property
    def disk(self) -> DiskSpace | None:
        """Space of the recordings' filesystem, or None while it is not known."""
        if self._sample is None or self._is_stale(self._sample):
            return None
        return self._sample.disk

    @property
    def disk_free_bytes(self) -> int | None:
        """Free bytes on the recordings' filesystem, or None while that is not known."""
        return None if self.disk is None else self.disk.free_bytes

    def health(self) -> HostHealth:
        """Return the body of `GET /api/v1/health`.

        It is `healthy` with figures, or `error` with the cause.
        """
        sample = self._sample
        if sample is None:
            return _error("The host has not been sampled yet")
        if self._is_stale(sample):
            age_s = self._clock() - sample.taken_s
            return _error(f"The host has not been sampled for {age_s:.0f} s")
        if sample.disk is None:
            return _error(sample.fault or "The recordings disk cannot be read")
        trouble = sample.fault or self._below_floor(sample.disk)
        health: HostHealth = {"status": "healthy"} if trouble is None else _error(trouble)
        health["system"] = {
            "cpu_percent": sample.cpu_percent,
            "memory_percent": sample.memory_percent,
            "memory_available_gb": round(sample.memory_available_bytes / GIB, 2),
            "disk_free_gb": round(sample.disk.free_bytes / GIB, 2),
            "disk_percent": sample.disk.used_percent,
        }
        return health

    def _below_floor(self, disk: DiskSpace) -> str | None:
        if disk.free_bytes >= self._floor_bytes:
            return None
        return (
            f"The recordings disk is full: {disk.free_bytes >> 20} MiB are free, the"
            f" reserve is {self._floor_bytes >> 20} MiB. Delete matches."
        )

    def _take(self) -> HostSample:
        disk, fault = None, None
        found = self._find_fault()
        if found is not None:
            fault = f"{found.message}. To fix it: {found.mend}"
        try:
            disk = self._read_disk(self._recordings_dir)
        except OSError as error:
            reason = error.strerror or str(error)
            fault = fault or (
                f"The recordings disk cannot be read: {self._recordings_dir}: {reason}"
            )
        memory = psutil.virtual_memory()
        return HostSample(
            taken_s=self._clock(),
            cpu_percent=self._cpu.percent(),
            memory_percent=memory.percent,
            memory_available_bytes=memory.available,
            disk=disk,
            fault=fault,
        )

    def _is_stale(self, sample: HostSample) -> bool:
        return self._clock() - sample.taken_s > STALE_AFTER_S


def _error(detail: str) -> HostHealth:
    return {"status": "error", "detail": detail}


def _busy_and_total_s() -> tuple[float, float]:
    times = psutil.cpu_times()._asdict()
    # The kernel counts guests within user and nice; waiting for a disk is not work.
    total_s = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    return total_s - times["idle"] - times.get("iowait", 0.0), total_s
