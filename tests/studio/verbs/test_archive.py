from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from support.matches import START_NS, World, film_camera, film_match, steady
from support.scenes import two_cameras
from touchline.media.mp4 import box as mp4box
from touchline.media.mp4 import scan as mp4scan
from touchline.studio.errors import StudioError
from touchline.studio.verbs import archive, panorama

COPY = {"cameras": ["cam0", "cam1"], "profile": "copy", "height": 1080, "preset": "ultrafast"}


def quiet(_: Mapping[str, Any]) -> None:
    return None


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments of camera 0 with two seconds between them, one of camera 1."""
    times = [t for t in steady(150) if not 1_000_000_000 < t - START_NS < 3_000_000_000]
    folder = tmp_path_factory.mktemp("matches") / "derby"
    return film_match(folder, World(two_cameras(320, 180)), times, steady(60))


def times_in(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(frame.time or 0.0) for frame in file.decode(video=0)]


def declared_size(data: bytes) -> tuple[int, int]:
    """The picture size in the track header, which players lay their windows out by."""
    moov = next(box for box in mp4box.boxes(data) if box.kind == b"moov")
    tkhd = mp4box.descend(data, moov, (b"trak", b"tkhd"))
    width, height = struct.unpack_from(">II", data, tkhd.end - 8)
    return width >> 16, height >> 16


def test_segments_are_joined_as_they_are_with_the_gap_as_a_pause(match: Path) -> None:
    result = archive.run({"folder": str(match), **COPY}, quiet, threading.Event())
    made = result["archives"]["cam0"]
    assert made["copied"] is True
    recorded = [mp4scan.scan(p, checksums=True) for p in sorted(match.glob("segments/cam0*"))]
    assert made["frames"] == sum(scan.frames for scan in recorded) == 90
    scan = mp4scan.scan(match / "cam0_archive.mp4", checksums=True)
    assert scan.finalized
    assert scan.faults == ()
    assert scan.start_unix_ns == recorded[0].start_unix_ns
    times = times_in(match / "cam0_archive.mp4")
    pause = max(b - a for a, b in pairwise(times))
    assert pause == pytest.approx(2.0, abs=0.1)
    assert len(times) == 90
    # As another program reads it: from the tables, not from the coded pictures.
    assert (made["width"], made["height"]) == (320, 180)
    with (match / "cam0_archive.mp4").open("rb") as file:
        assert declared_size(file.read()) == (320, 180)


def test_a_compact_archive_keeps_the_shape_of_the_picture(match: Path) -> None:
    spec = {"folder": str(match), **COPY, "profile": "compact", "height": 90, "crf": 30}
    result = archive.run(spec, quiet, threading.Event())
    made = result["archives"]["cam0"]
    assert (made["width"], made["height"]) == (160, 90)
    assert made["frames"] == 90


def test_segments_of_different_sizes_are_encoded_into_one(tmp_path: Path) -> None:
    segments = tmp_path / "m" / "segments"
    segments.mkdir(parents=True)
    times = steady(60)
    for number, (size, part) in enumerate([((320, 180), times[:30]), ((640, 360), times[30:])]):
        path = segments / f"cam0_20260211_220241_{number:02d}.mp4"
        film_camera(path, World(two_cameras(*size)), 0, part)
    spec = {"folder": str(tmp_path / "m"), **COPY, "cameras": ["cam0"]}
    made = archive.run(spec, quiet, threading.Event())["archives"]["cam0"]
    assert made["copied"] is False
    assert made["frames"] == 60


def test_a_camera_without_footage_is_said_and_the_other_archive_kept(tmp_path: Path) -> None:
    folder = film_match(tmp_path / "m", World(two_cameras(320, 180)), steady(30), [])
    (folder / "segments" / "cam2_20251103_141500_00.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    spec = {"folder": str(folder), **COPY, "cameras": ["cam0", "cam1", "cam2"]}
    with pytest.raises(StudioError) as caught:
        archive.run(spec, quiet, threading.Event())
    assert caught.value.code == "camera_without_archive"
    assert "No archive of cam1: it has no footage" in caught.value.message
    assert "No archive of cam2: cam2_20251103_141500_00.mkv" in caught.value.message
    assert "cam0_archive.mp4" in caught.value.message
    assert (folder / "cam0_archive.mp4").exists()


def test_a_match_without_footage_says_so(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    with pytest.raises(StudioError) as caught:
        archive.run({"folder": str(tmp_path), **COPY}, quiet, threading.Event())
    assert caught.value.code == "no_footage"


def test_without_a_calibration_both_views_stand_side_by_side(match: Path) -> None:
    spec = {"folder": str(match), "calibration": None, "preset": "ultrafast"}
    record = panorama.run(spec, quiet, threading.Event())
    assert record["side_by_side"] is True
    assert (record["width"], record["height"]) == (640, 180)
    # What only one of them filmed is there too: 90 instants of camera 0, and a second of camera 1.
    assert record["frames"] == pytest.approx(90 + 29, abs=2)
