"""Whatever becomes of the files of a SQLite database, the process that has them open lives on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import disks
from support.databaseprocess import database_process

ROWS = 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[disks.SmallDisk]:
    yield from disks.small_disk(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[disks.Image]:
    yield from disks.image(tmp_path)


def chattr(change: str, paths: list[Path]) -> None:
    subprocess.run(["chattr", change, *map(str, paths)], check=True, capture_output=True)


@pytest.mark.parametrize("filesystem", ["ext4", "tmpfs"])
def test_a_full_disk_refuses_rows_and_takes_them_again(
    filesystem: str, request: pytest.FixtureRequest
) -> None:
    name = "image" if filesystem == "ext4" else "small_disk"
    disk: disks.Image | disks.SmallDisk = request.getfixturevalue(name)
    with database_process(disk.at / "t.db") as database:
        for _ in range(ROWS):
            database.use()
        database.sync()
        ballast = disks.fill(disk.at)
        for _ in range(ROWS):
            assert database.use() == (False, ROWS)
        ballast.unlink()
        assert database.use() == (True, ROWS)
        assert database.end() == 0
    with database_process(disk.at / "t.db") as database:
        assert database.use() == (True, ROWS + 1)


def test_files_that_turn_immutable_are_read_and_written_again_later(image: disks.Image) -> None:
    if shutil.which("chattr") is None:
        pytest.skip("the program chattr is not installed (Debian: e2fsprogs)")
    with database_process(image.at / "t.db") as database:
        for _ in range(ROWS):
            database.use()
        database.sync()
        chattr("+i", database.files())
        try:
            for _ in range(ROWS):
                assert database.use() == (False, ROWS)
        finally:
            chattr("-i", database.files())
        assert database.use() == (True, ROWS)
        assert database.end() == 0


def test_files_that_are_emptied_do_not_end_the_process(tmp_path: Path) -> None:
    with database_process(tmp_path / "t.db") as database:
        for _ in range(ROWS):
            database.use()
        for path in database.files():
            os.truncate(path, 0)
        for _ in range(ROWS):
            database.use()
        assert database.end() == 0
    with database_process(tmp_path / "t.db") as database:
        database.use()
        assert database.use()[0]


def test_a_file_of_an_index_that_an_earlier_release_left_does_not_matter(tmp_path: Path) -> None:
    with database_process(tmp_path / "t.db") as database:
        database.use()
        (tmp_path / "t.db-shm").write_bytes(b"left behind" * 3000)
        assert database.use() == (True, 1)
    with database_process(tmp_path / "t.db") as database:
        assert database.use() == (True, 2)


def test_no_other_process_uses_the_file_at_the_same_time(tmp_path: Path) -> None:
    with database_process(tmp_path / "t.db") as database:
        assert database.use() == (True, 0)
        with database_process(tmp_path / "t.db") as other:
            assert other.use() == (False, -1)
            assert database.use() == (True, 1)
            assert database.end() == 0
            assert other.use() == (True, 2)
