"""Files of earlier systems are read as they are, or refused with the reason."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from touchline.media import matchfiles
from touchline.media.mp4 import ordinary
from touchline.media.mp4.sample import TIMESCALE

SIZE = "160x90"


def film(path: Path, *options: str, seconds: float = 2.0, codec: str = "libx264") -> Path:
    """What another program records: FFmpeg's own muxers."""
    source = f"testsrc2=size={SIZE}:rate=25:duration={seconds}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", codec,
         "-pix_fmt", "yuv420p", "-g", "25", *options, str(path)],
        check=True,
    )  # fmt: skip
    return path


def packets(path: Path) -> list[dict[str, str]]:
    found = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
         "packet=pts_time,dts_time,size,pos,flags", "-of", "json", str(path)],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return list(json.loads(found)["packets"])


@pytest.mark.parametrize(
    "options",
    [
        ("-bf", "0"),
        ("-bf", "2"),
        ("-bf", "2", "-movflags", "+faststart"),
        ("-bf", "0", "-video_track_timescale", "600"),
        ("-bf", "2", "-movflags", "+negative_cts_offsets"),
        ("-bf", "0", "-f", "mov"),
    ],
)
def test_samples_are_where_and_when_ffprobe_finds_them(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = film(tmp_path / "cam0.mp4", *options)
    scan, table = ordinary.index(path)
    theirs = packets(path)
    assert scan.frames == table.frames == len(theirs) == 50
    assert (scan.width, scan.height) == (160, 90)
    first_pts = min(float(p["pts_time"]) for p in theirs)
    first_dts = float(theirs[0]["dts_time"])
    for (offset, entry), packet in zip(table.entries(), theirs, strict=True):
        assert (offset, entry.size_bytes) == (int(packet["pos"]), int(packet["size"]))
        assert entry.keyframe is ("K" in packet["flags"])
        shown_s = float(packet["pts_time"]) - first_pts
        assert entry.pts / TIMESCALE == pytest.approx(shown_s, abs=2e-5)
        decoded_s = float(packet["dts_time"]) - first_dts
        assert entry.dts / TIMESCALE == pytest.approx(decoded_s, abs=2e-5)
    assert scan.duration_ns == pytest.approx(2e9, abs=1e6)
    assert [f.keyframe for f in scan.fragments].count(True) == 2
    assert sum(f.samples for f in scan.fragments) == 50


def test_sound_between_the_frames_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "cam0.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(film(tmp_path / "silent.mp4")), "-f", "lavfi", "-i",
         "sine=duration=2", "-c:v", "copy", "-c:a", "aac", str(path)],
        check=True,
    )  # fmt: skip
    assert [offset for offset, _ in ordinary.index(path).table.entries()] == [
        int(p["pos"]) for p in packets(path)
    ]


def cut(path: Path) -> Path:
    path.write_bytes(film(path.with_name("whole.mp4")).read_bytes()[:-2000])
    return path


def tables_cut(path: Path) -> Path:
    """A file whose tables stand first and whose samples are missing."""
    whole = film(path.with_name("whole.mp4"), "-movflags", "+faststart").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def zeros(path: Path) -> Path:
    path.write_bytes(bytes(5000))
    return path


def many_samples(path: Path) -> Path:
    """Tables that claim more samples than any file has."""
    whole = bytearray(film(path).read_bytes())
    at = whole.index(b"stsz")
    whole[at + 12 : at + 16] = b"\xff\xff\xff\xff"
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (cut, "truncated"),
        (tables_cut, "truncated"),
        (zeros, "never finished"),
        (many_samples, "damaged"),
        (lambda p: film(p, codec="mpeg4"), "mp4v; one H.264 stream"),
        (lambda p: film(p, "-movflags", "+frag_keyframe+empty_moov"), "fragmented MP4 of another"),
        (lambda p: film(p.with_suffix(".mkv")), "copy it into an MP4 first"),
        (lambda p: film(p.with_suffix(".avi")), "copy it into an MP4 first"),
    ],
)
def test_what_cannot_be_used_says_why(tmp_path: Path, make: object, reason: str) -> None:
    path = make(tmp_path / "cam0_20251103_141500_00.mp4")  # type: ignore[operator]
    with pytest.raises(ordinary.Unreadable, match=reason) as told:
        ordinary.index(path)
    assert path.name in str(told.value), "it says which file"


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
