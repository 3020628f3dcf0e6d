"""Files of earlier systems are read as they are, or refused with the reason."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.otherfilms import film
from touchline.media.mp4 import ordinary
from touchline.media.mp4.sample import TIMESCALE


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
