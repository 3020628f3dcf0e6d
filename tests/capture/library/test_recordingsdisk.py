"""Recordings are made on their own disk or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import disks
from touchline.capture.library.recordingsdisk import FILE_NAME, RecordingsDisk, fstab_points, judge
from touchline.media.storage.mounts import Mount, mount_of, parse_mountinfo

SYSTEM = Mount("/", "ext4", "/dev/sda1", "8:1")
USB = Mount("/mnt/usb", "ext4", "/dev/sdb1", "8:17")
ROOT = Path("/mnt/usb/recordings")
INNER = Mount("/mnt/usb/recordings", "xfs", "/dev/sdc", "8:32")
BOUND = Mount("/mnt/usb/recordings", "ext4", "/dev/sda1", "8:1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[disks.SmallDisk]:
    yield from disks.small_disk(tmp_path)


@pytest.mark.parametrize(
    ("mounts", "remembered", "fstab", "require_mount", "state"),
    [
        ([SYSTEM, USB], None, [], False, None),
        ([SYSTEM, USB], "/mnt/usb", [], True, None),
        ([SYSTEM], None, [], False, None),  # a set-up on the system's disk goes on as it was
        ([SYSTEM], "/", [], False, None),
        ([SYSTEM], "/mnt/usb", [], False, "gone"),
        ([SYSTEM], None, ["/mnt/usb"], False, "gone"),
        ([SYSTEM, USB], None, ["/mnt/usb"], False, None),
        ([SYSTEM], None, ["/mnt/other", "/"], False, None),
        ([SYSTEM], None, [], True, "gone"),
        ([SYSTEM, USB], "/", [], False, None),  # a disk that was added
        ([SYSTEM, BOUND], None, [], True, "gone"),  # the system's, bound for a service
        ([SYSTEM, BOUND], "/mnt/usb/recordings", [], False, "gone"),
        (
            [SYSTEM, USB, INNER],
            "/mnt/usb",
            [],
            True,
            None,
        ),
    ],
)
def test_the_disk_that_the_recordings_belong_on(
    mounts: list[Mount],
    remembered: str | None,
    fstab: list[str],
    require_mount: bool,  # noqa: FBT001
    state: str | None,
) -> None:
    fault = judge(ROOT, mounts, remembered=remembered, fstab=fstab, require_mount=require_mount)
    assert (fault.state if fault else None) == state
    assert fault is None or fault.mend


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    lines = [
        "22 27 0:21 / /proc rw,relatime - proc proc rw",
        r"36 27 98:0 / /mnt/my\040disk rw,noatime shared:1 master:2 - ext3 /dev/root rw",
        "nonsense",
        "37 27 98:1 / / rw - ext4 /dev/sda1 rw",
    ]
    mounts = parse_mountinfo(lines)
    assert [mount.point for mount in mounts] == ["/proc", "/mnt/my disk", "/"]
    found = mount_of("/mnt/my disk/recordings", mounts)
    assert found == Mount("/mnt/my disk", "ext3", "/dev/root", "98:0")
    assert mount_of("/mnt/my diskette", mounts) == Mount("/", "ext4", "/dev/sda1", "98:1")


def test_fstab_names_what_a_start_mounts() -> None:
    text = (
        "# comment\nUUID=1 / ext4 defaults 0 1\nUUID=2 /mnt/usb\\0401 ext4 nofail 0 2\n"
        "/dev/sr0 /media/cdrom udf,iso9660 user,noauto 0 0\nUUID=3 none swap sw 0 0\nshort\n"
    )
    assert fstab_points(text) == ["/", "/mnt/usb 1"]


def test_an_unmounted_disk_is_found_missing_and_nothing_is_made_in_its_place(
    tmp_path: Path, small_disk: disks.SmallDisk
) -> None:
    root = small_disk.at / "recordings"

    def disk() -> RecordingsDisk:  # as each start of the server has one of its own
        return RecordingsDisk(root, tmp_path / "data", require_mount=False, fstab=tmp_path / "no")

    assert disk().prepare() is None
    assert root.is_dir()
    small_disk.go_away()
    fault = disk().prepare()
    assert fault is not None
    assert fault.state == "gone"
    assert str(small_disk.at) in fault.mend
    assert list(small_disk.at.iterdir()) == []
    small_disk.mount()
    assert disk().prepare() is None
    small_disk.go_away()
    (tmp_path / "data" / FILE_NAME).unlink()  # somebody decided otherwise
    assert disk().prepare() is None
    assert root.is_dir()


def test_what_is_remembered_counts_for_its_own_folder_only(tmp_path: Path) -> None:
    first = RecordingsDisk(tmp_path / "a", tmp_path, require_mount=False, mounts=lambda: [SYSTEM])
    assert first.prepare() is None
    (tmp_path / FILE_NAME).write_text(f'{{"root": "{tmp_path / "a"}", "mount_point": "/mnt/usb"}}')
    assert first.prepare() is not None
    second = RecordingsDisk(tmp_path / "b", tmp_path, require_mount=False, mounts=lambda: [SYSTEM])
    assert second.prepare() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": 5}', "\x00" * 100])
def test_a_memory_that_cannot_be_read_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    disk = RecordingsDisk(tmp_path / "a", tmp_path, require_mount=False, mounts=lambda: [SYSTEM])
    assert disk.prepare() is None
    assert '"mount_point": "/"' in (tmp_path / FILE_NAME).read_text()


def test_a_data_directory_whose_disk_has_failed_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FILE_NAME).write_text('{"root": "/", "mount_point": "/"}')
    read_text = Path.read_text

    def fails(path: Path, **options: Any) -> str:
        if path.name == FILE_NAME:
            raise OSError(5, "Input/output error")
        return read_text(path, **options)

    monkeypatch.setattr(Path, "read_text", fails)
    disk = RecordingsDisk(tmp_path / "a", tmp_path, require_mount=False, mounts=lambda: [SYSTEM])
    assert disk.prepare() is None
    assert (tmp_path / "a").is_dir()
