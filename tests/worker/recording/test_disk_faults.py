"""A disk that refuses a few operations in a row, at any point of a recording with several files.

Every frame is in exactly one file afterwards, and every file is known to the server.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.coded import frames
from support.recorded import minded, numbers_in
from support.segments import order
from touchline.media.storage.disk import Disk
from touchline.worker.recording import diskwatch
from touchline.worker.recording.recorder import CameraRecorder

COUNT, GOP = 75, 25
ERRORS = (errno.EIO, errno.EROFS, errno.ENOSPC, errno.ENODEV, errno.EDQUOT, errno.EMFILE)
OPERATIONS = (
    "create", "reopen", "write_all", "cut", "sync", "sync_directory", "remove", "place",
    "free_bytes",
)  # fmt: skip


class RefusingDisk(Disk):
    """Refuses `times` operations from the one with the number `first` on."""

    def __init__(self, first: int, times: int, error: int) -> None:
        self.done = 0
        self.written = 0
        """Operations until everything had been written."""
        self._refused, self._error = range(first, first + times), error

    def do(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        self.done += 1
        if self.done not in self._refused:
            return operation(self, *arguments)
        if operation is Disk.write_all and self.done % 2:  # the half of it gets there
            fd, data, offset = arguments
            Disk.write_all(self, fd, data[: len(data) // 2], offset)
        raise OSError(self._error, os.strerror(self._error))


def _asked(name: str) -> Callable[..., Any]:
    return lambda self, *arguments: self.do(getattr(Disk, name), *arguments)


for _name in OPERATIONS:
    setattr(RefusingDisk, _name, _asked(_name))


def record(folder: Path, disk: RefusingDisk) -> dict[str, Any]:
    """Record three files of one group of pictures each; the report."""
    labels = iter(f"20260211_2203{n:02d}" for n in range(60))
    recorder = CameraRecorder(
        order(folder, segment_s=1.0),
        notify=lambda _: None,
        disk=disk,
        wall_label=lambda: next(labels),
    )
    for frame in frames(COUNT, gop=GOP):
        recorder.push(frame)
    minded(recorder, lambda: not recorder._backlog.jobs, "everything is written")
    disk.written, disk.done = disk.done, 1_000_000  # how it ends is another test's
    return recorder.close(60)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RETRY_S", "ERROR_RETRY_S"):
        monkeypatch.setattr(diskwatch, name, 0.001)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_frame_is_in_one_file_whatever_the_disk_refuses(tmp_path: Path, times: int) -> None:
    usual = RefusingDisk(0, 0, 0)
    folder = tmp_path / "usual"
    folder.mkdir()
    record(folder, usual)
    for first in range(1, usual.written + 1):
        error = ERRORS[(first + times) % len(ERRORS)]
        folder = tmp_path / f"{first}"
        folder.mkdir()
        report = record(folder, RefusingDisk(first, times, error))
        found = [n for path in sorted(folder.iterdir()) for n in numbers_in(path)]
        where = f"operation {first}: {errno.errorcode[error]}"
        assert found == list(range(COUNT)), where
        assert {s["name"] for s in report["segments"]} == {p.name for p in folder.iterdir()}, where
        assert report["finalized"], where
        assert (report["frames"], report["gaps"]) == (COUNT, []), where
