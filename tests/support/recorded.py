"""A recorder of the worker on a disk that does what the test tells it, and what comes of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.coded import START_NS
from support.segments import order
from touchline.ipc.tee import Frame
from touchline.media.mp4 import scan
from touchline.media.mp4.fragment import MOOF_BYTES, TRUN_ENTRY_BYTES
from touchline.media.mp4.walk import SegmentScan
from touchline.media.storage.disk import Disk
from touchline.worker.recording.recorder import CameraRecorder

DEADLINE_S = 60.0


def eventually(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.002)


def minded(recorder: CameraRecorder, true: Callable[[], object], what: str) -> None:
    """Wait for something while the recorder is looked after, as the worker's loop does."""

    def once() -> bool:
        recorder.monitor_writer()
        return bool(true())

    eventually(once, what)


class ToldDisk(Disk):
    """A disk that does what the test tells it, and notes what it was asked for.

    `runs` cleared makes every write wait, or every sync where `waits_at` says so; `fault` is raised
    by writes, after the first half of the data has been written, or by syncs. The next
    `good_syncs` neither wait nor fail.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.runs = threading.Event()
        self.runs.set()
        self.waiting = threading.Event()
        self.waits_at = "write"
        self.good_syncs = 0
        self.fault: int | None = None
        self.fault_at = "write"
        self.free = 1 << 40

    def create(self, path: str) -> int:
        self.calls.append("create")
        self._fail("create")
        return super().create(path)

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        self.calls.append("write")
        self._wait("write")
        if self.fault is not None and self.fault_at == "write":
            super().write_all(fd, data[: len(data) // 2], offset)
        self._fail("write")
        super().write_all(fd, data, offset)

    def sync(self, fd: int) -> None:
        self.calls.append("sync")
        if self.good_syncs:
            self.good_syncs -= 1
        else:
            self._wait("sync")
            self._fail("sync")
        super().sync(fd)

    def sync_directory(self, path: str) -> None:
        self.calls.append("sync_directory")
        super().sync_directory(path)

    def free_bytes(self, path: str) -> int:
        return self.free

    def _wait(self, where: str) -> None:
        if self.waits_at == where and not self.runs.is_set():
            self.waiting.set()
            assert self.runs.wait(DEADLINE_S), "the test forgot the stalled disk"

    def _fail(self, where: str) -> None:
        if self.fault is not None and self.fault_at == where:
            raise OSError(self.fault, os.strerror(self.fault))


class Rig:
    """A recorder on a told disk, and what it said."""

    def __init__(self, folder: Path, **changed: object) -> None:
        self.folder = folder
        self.disk = ToldDisk()
        self.said: list[dict[str, Any]] = []
        self.now_ns = START_NS
        self.labels = iter(f"20260211_2203{n:02d}" for n in range(60))
        self.recorder = CameraRecorder(
            order(folder, **changed),
            notify=self.said.append,
            disk=self.disk,
            wall_label=lambda: next(self.labels),
            monotonic_ns=lambda: self.now_ns,
        )

    def push(self, sent: list[Frame]) -> None:
        for frame in sent:
            self.recorder.push(frame)

    def written(self) -> None:
        """Wait until everything that was pushed as whole fragments is on the disk."""
        eventually(lambda: not self.recorder._backlog.jobs, "an empty queue")

    def close(self, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
        return self.recorder.close(timeout_s)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def scans(self) -> list[SegmentScan]:
        return [scan.scan(self.folder / name, checksums=True) for name in self.names()]

    def numbers(self) -> list[list[int]]:
        """The numbers that `frames` wrote, segment by segment, read back from the files."""
        return [numbers_in(self.folder / name) for name in self.names()]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["event"] == kind]


def numbers_in(path: Path) -> list[int]:
    data = path.read_bytes()
    found = []
    for fragment in scan.scan(path, checksums=True).fragments:
        at = fragment.offset + MOOF_BYTES
        sizes = [
            int.from_bytes(data[at + 16 * n + 4 : at + 16 * n + 8], "big")
            for n in range(fragment.samples)
        ]
        at += TRUN_ENTRY_BYTES * fragment.samples + 8
        for size in sizes:
            found.append(int.from_bytes(data[at : at + 4], "big"))
            at += size
    return found


@contextmanager
def recording(folder: Path, **changed: object) -> Iterator[Rig]:
    rig = Rig(folder, **changed)
    try:
        yield rig
    finally:
        rig.disk.fault = None
        rig.disk.runs.set()
        rig.close()
