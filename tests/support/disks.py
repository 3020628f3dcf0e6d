"""Real filesystems for tests of disks that fill, turn read-only, go away and come back."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def _may_mount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    probe = folder / "probe"
    probe.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(probe))
        _run("umount", str(probe))
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def fill(folder: Path) -> Path:
    """Leave not a byte on the disk of this folder; the file that takes the space."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size_bytes in (65536, 512, 1):
            try:
                while True:
                    file.write(bytes(size_bytes))
            except OSError:
                continue
    return ballast


class SmallDisk:
    """A tmpfs of its own at `at`; `mount` gives an empty one each time."""

    def __init__(self, at: Path, *, size: str = "48M") -> None:
        self.at = at
        self._size = size
        self.mounted = False

    def mount(self) -> None:
        _run("mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", str(self.at))
        self.mounted = True

    def go_away(self) -> None:
        """Unmount it under whoever writes to it, as an operator with --lazy or a pulled plug do."""
        _run("umount", "--lazy", str(self.at))
        self.mounted = False

    def turn(self, *, writable: bool) -> None:
        """Mount it read-only or writable, while nobody has a file open for writing."""
        _run("mount", "-o", f"remount,{'rw' if writable else 'ro'}", str(self.at))

    def fill(self) -> Path:
        """Leave not a byte."""
        return fill(self.at)


class Image:
    """An ext4 in a file, mounted at `at` by way of a loop device."""

    def __init__(self, file: Path, at: Path) -> None:
        self._file = file
        self.at = at
        self.mounted = False
        with file.open("wb") as empty:
            empty.truncate(48 << 20)
        _run("mkfs.ext4", "-q", "-O", "^has_journal", str(file))

    def mount(self) -> None:
        _run("mount", "-o", "loop,errors=remount-ro", str(self._file), str(self.at))
        self.mounted = True

    def fail(self) -> None:
        """Let the filesystem find itself broken, so that it turns read-only under the writer."""
        device = next(
            line.split()[0]
            for line in Path("/proc/self/mounts").read_text().splitlines()
            if line.split()[1] == str(self.at)
        )
        knob = Path("/sys/fs/ext4", Path(device).name, "trigger_fs_error")
        if not knob.exists():
            pytest.skip("this kernel's ext4 cannot be made to fail (no trigger_fs_error)")
        knob.write_text("1")

    def fill(self) -> Path:
        """Leave not a byte."""
        return fill(self.at)

    def unmount(self) -> None:
        """Unmount it as soon as nobody has a file open in it.

        Not with --lazy: it would stay mounted for whoever has one open, and what the kernel still
        writes into the image then is damage to the disk that was checked and mounted meanwhile.
        """
        deadline = time.monotonic() + 15
        command = ["umount", str(self.at)]
        while (done := subprocess.run(command, check=False, capture_output=True)).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.02)
        self.mounted = False

    def repair(self) -> None:
        """Unmount, check and mount it again, as an operator does."""
        self.unmount()
        self._check()
        self.mount()

    def repair_under_its_users(self) -> None:
        """The same while files of it are open; those stay on the disk that failed."""
        _run("umount", "--lazy", str(self.at))
        self._file = Path(shutil.copy(self._file, self._file.with_suffix(".repaired")))
        self._check()
        self.mount()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let every write wait meanwhile, as on a disk that stalls."""
        _run("fsfreeze", "--freeze", str(self.at))
        try:
            yield
        finally:
            _run("fsfreeze", "--unfreeze", str(self.at))

    def _check(self) -> None:
        command = ["fsck.ext4", "-fy", str(self._file)]
        subprocess.run(command, check=False, capture_output=True, timeout=30)


def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A mounted small disk; the test is skipped where mounts are impossible."""
    if not _may_mount(folder):
        pytest.skip("mounting needs root and a kernel that lets it")
    at = folder / "disk"
    at.mkdir()
    disk = SmallDisk(at)
    disk.mount()
    try:
        yield disk
    finally:
        if disk.mounted:
            disk.go_away()


def image(folder: Path) -> Iterator[Image]:
    """A mounted ext4; the test is skipped where loop devices are impossible."""
    if not _may_mount(folder):
        pytest.skip("mounting needs root and a kernel that lets it")
    at = folder / "disk"
    at.mkdir()
    try:
        disk = Image(folder / "disk.img", at)
        disk.mount()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no ext4 on a loop device here: {error}")
    try:
        yield disk
    finally:
        if disk.mounted:
            _run("umount", "--lazy", str(at))
