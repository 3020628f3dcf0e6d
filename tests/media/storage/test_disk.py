from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest

from touchline.media.storage.disk import (
    ERROR,
    FILE_TOO_LARGE,
    FULL,
    GONE,
    READ_ONLY,
    STATES,
    Disk,
    state_of,
)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (errno.ENOSPC, FULL),
        (errno.EDQUOT, FULL),
        (errno.EROFS, READ_ONLY),
        (errno.EFBIG, FILE_TOO_LARGE),
        (errno.ENOENT, GONE),
        (errno.ESTALE, GONE),
        (errno.EIO, ERROR),
        (None, ERROR),
    ],
)
def test_an_error_tells_the_state_of_the_disk_by_its_number(number: int | None, state: str) -> None:
    error = OSError("disk full") if number is None else OSError(number, "disk full")
    assert state_of(error) == state
    assert state in STATES


def test_a_file_is_created_once_and_written_where_it_is_said(tmp_path: Path) -> None:
    disk, path = Disk(), str(tmp_path / "a.mp4")
    fd = disk.create(path)
    try:
        disk.write_all(fd, b"abcdef", 2)
        disk.cut(fd, 5)
        disk.sync(fd)
    finally:
        os.close(fd)
    assert Path(path).read_bytes() == b"\0\0abc"
    with pytest.raises(FileExistsError):
        disk.create(path)
    fd = disk.reopen(path)
    os.close(fd)
    disk.remove(path)
    disk.remove(path)  # it is gone already
    with pytest.raises(FileNotFoundError):
        disk.reopen(path)


def test_what_a_kernel_writes_in_pieces_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: whole(fd, bytes(data[:3]), at))
    fd = Disk().create(str(tmp_path / "a"))
    try:
        Disk().write_all(fd, b"0123456789", 0)
    finally:
        os.close(fd)
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_folder_that_was_replaced_is_another_place(tmp_path: Path) -> None:
    disk, folder = Disk(), tmp_path / "a" / "b"
    disk.make_folders(str(folder))
    before = disk.place(str(folder))
    assert disk.place(str(folder)) == before
    (tmp_path / "c").mkdir()
    folder.rmdir()
    (tmp_path / "c").rename(folder)
    assert disk.place(str(folder)) != before
    disk.sync_directory(str(folder))
    assert disk.free_bytes(str(folder)) > 0


def test_the_limit_of_this_process_is_read_each_time() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, hard))
        assert Disk().file_limit_bytes() == 1 << 40
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Disk().file_limit_bytes() == (None if soft == resource.RLIM_INFINITY else soft)
