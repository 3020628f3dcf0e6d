from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.otherfilms import film
from touchline.media import matchfiles


@pytest.mark.parametrize(
    ("names", "expected_s"),
    [
        # One recording, files in a row: all have the time of its start.
        (["cam0_20251103_141500_00.mp4", "cam0_20251103_141500_01.mp4"], [0, 600]),
        (["cam0_20251103_141500_9.mp4", "cam0_20251103_141500_10.mp4"], [0, 600]),
        # A second recording in the same folder.
        (["cam0_20251103_141500_00.mp4", "cam0_20251103_150000_00.mp4"], [0, 2700]),
        # No time in the name: it ended when it was last changed.
        (["cam0_1.mp4"], [9400]),
        (["cam0_99999999_999999_00.mp4"], [9400]),
    ],
)
def test_earlier_files_begin_where_their_names_say(names: list[str], expected_s: list[int]) -> None:
    found = matchfiles.starts_ns(
        dict.fromkeys(names, 600 * 10**9), dict.fromkeys(names, 10_000 * 10**9)
    )
    began_s = time.mktime(time.strptime("20251103_141500", "%Y%m%d_%H%M%S"))
    dated = [found[name] // 10**9 - (began_s if "2025" in name else 0) for name in names]
    assert dated == expected_s


@pytest.mark.parametrize(
    ("name", "camera", "expected"),
    [
        ("cam0_20251103_141500_00.mp4", "cam0", True),
        ("cam0_20251103_141500_00.mkv", "cam0", True),
        ("match-cam1-3.mov", "cam1", True),
        ("cam1_00.mp4", "cam0", False),
        ("cam10_00.mp4", "cam1", False),
        ("cam0_00.txt", "cam0", False),
        (".cam0_00.mp4", "cam0", False),
        ("pitch.mp4", "cam0", False),
    ],
)
def test_a_camera_s_files_are_known_by_their_names(
    name: str, camera: str, *, expected: bool
) -> None:
    assert matchfiles.is_of(name, camera) is expected


FILE_S = 600
"""How long each file of the recordings below lasts, but the last one."""


def row(*indexes: str) -> list[str]:
    return [f"cam0_20251103_141500_{index}.mp4" for index in indexes]


@pytest.mark.parametrize(
    ("names", "unusable", "ends_s", "expected_s"),
    [
        # What cannot be used lies between two files, as long as they or as its last change says.
        (row("00", "01", "02"), "01", [600, 1200, 1800], [0, 1200]),
        (row("00", "01", "02"), "01", [600, 700, 1300], [0, 700]),
        # The file is gone, or several are.
        (row("00", "02"), "", [600, 1800], [0, 1200]),
        (row("00", "03", "04"), "", [600, 2400, 3000], [0, 1800, 2400]),
        # They were copied, and have the times of the copy.
        (row("00", "01", "02"), "01", [90_000, 90_001, 90_002], [0, 1200]),
        (row("00", "02"), "", [90_000, 90_000], [0, 1200]),
        (row("00", "02"), "", [90_000, 50_000], [0, 1200]),
        # A clock that was wrong all the time says how long it was all the same.
        (row("00", "01", "02"), "01", [7800, 7900, 8500], [0, 700]),
        # The first one cannot be used, or is gone.
        (row("00", "01"), "00", [600, 1200], [600]),
        (row("00", "01"), "00", [90_000, 90_000], [600]),
        (row("01"), "", [1200], [600]),
        # Some count from 1, and some leave out many numbers for reasons of their own.
        (row("01", "02"), "", [600.4, 1200.4], [0, 600]),
        (row("01", "02"), "", [90_000, 90_000], [0, 600]),
        (row("00", "5000"), "", [600, 1200], [0, 600]),
        # The camera stands behind the time.
        (
            ["20251103_141500_cam1_00.mp4", "20251103_141500_cam1_02.mp4"],
            "",
            [600, 1800],
            [0, 1200],
        ),
    ],
)
def test_a_file_that_is_missing_or_cannot_be_used_keeps_its_place(
    names: list[str], unusable: str, ends_s: list[float], expected_s: list[int]
) -> None:
    began_s = int(time.mktime(time.strptime("20251103_141500", "%Y%m%d_%H%M%S")))
    lasts = {n: None if unusable and f"_{unusable}." in n else FILE_S * 10**9 for n in names}
    changed = {
        name: round((began_s + end_s) * 10**9) for name, end_s in zip(names, ends_s, strict=True)
    }
    found = matchfiles.starts_ns(lasts, changed)
    usable = [name for name in names if lasts[name] is not None]
    assert [found[name] // 10**9 - began_s for name in usable] == expected_s
    assert found.keys() == set(usable)


def test_a_camera_with_an_unusable_file_stays_beside_the_other_one(tmp_path: Path) -> None:
    for camera in ("cam0", "cam1"):
        for index in range(3):
            film(tmp_path / f"{camera}_20251103_141500_{index:02d}.mp4", seconds=2.0)
    damaged = tmp_path / "cam0_20251103_141500_01.mp4"
    damaged.write_bytes(bytes(5000))
    starts = {}
    for camera in ("cam0", "cam1"):
        files = matchfiles.usable(sorted(tmp_path.glob(f"{camera}_*")))
        starts[camera] = {u.path.name[-6:]: u.indexed.scan.start_unix_ns for u in files.usable}
    assert starts["cam0"] == {n: at for n, at in starts["cam1"].items() if n != "01.mp4"}
    assert list(starts["cam0"]) == ["00.mp4", "02.mp4"]
