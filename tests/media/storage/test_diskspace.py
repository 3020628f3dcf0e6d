"""Figures of the disk: df's, and the same wherever they are shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from touchline.media.storage.disk import Disk
from touchline.media.storage.diskspace import DiskSpace, read_space


def test_the_figures_are_those_of_df(tmp_path: Path) -> None:
    shown = subprocess.run(
        ["df", "--block-size=1", "--output=size,used,avail", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    size, used, free = (int(each) for each in shown.stdout.splitlines()[1].split())
    space = read_space(tmp_path)
    assert space.size_bytes == size
    # Others write on the same disk meanwhile.
    assert space.used_bytes == pytest.approx(used, abs=1 << 30)
    assert space.free_bytes == pytest.approx(free, abs=1 << 30)
    assert Disk().free_bytes(str(tmp_path)) == pytest.approx(free, abs=1 << 30)


def test_what_is_reserved_for_root_is_neither_used_nor_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stats = SimpleNamespace(f_frsize=4096, f_blocks=1000, f_bfree=700, f_bavail=600)
    monkeypatch.setattr(os, "statvfs", lambda _: stats)
    space = read_space("/somewhere")
    assert space == DiskSpace(1000 * 4096, 300 * 4096, 600 * 4096)
    assert space.usable_bytes == 900 * 4096
    assert space.used_percent == 33.3


def test_a_filesystem_without_blocks_is_not_used_at_all() -> None:
    assert DiskSpace(0, 0, 0).used_percent == 0.0


@pytest.mark.parametrize(
    ("free_bytes", "floor_bytes", "bitrate_bps", "minutes"),
    [
        (10 * 10**9, 10**9, 24_000_000, 50.0),
        (10**9, 10**9, 24_000_000, 0.0),
        (5, 10**9, 24_000_000, 0.0),
        (10 * 10**9, 10**9, 0, None),
        (10 * 10**9, 10**9, None, None),
    ],
)
def test_the_time_left_is_until_the_floor(
    free_bytes: int, floor_bytes: int, bitrate_bps: float | None, minutes: float | None
) -> None:
    assert DiskSpace(10**12, 0, free_bytes).minutes_left(floor_bytes, bitrate_bps) == minutes
