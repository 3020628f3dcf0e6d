from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import segmentfiles
from support.wholematch import CAM0, CAM1, SECOND, START, verify, with_times
from touchline.capture.library.manifest.manifest import Gap, Manifest, Part
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrity import verify_match
from touchline.capture.library.verification.integrityreport import Expected
from touchline.capture.library.verification.segmentcheck import check_segment
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.media.mp4.fragment import fragment_part
from touchline.media.mp4.sample import Mp4Sample, ticks


def test_a_clean_match_has_no_fault(match: Path) -> None:
    report = verify(match)
    assert report.ok
    assert report.start_skew_s == 0
    camera = report.camera("cam0")
    assert camera is not None
    assert (camera.segments, camera.fragments, camera.frames) == (1, 5, 50)
    assert camera.recorded_s == camera.expected_s == 2.0
    assert camera.newest == CAM0


@settings(max_examples=60, deadline=None)
@given(
    fragments=st.integers(1, 12),
    frame_bytes=st.integers(1, 3_000),
    seed=st.integers(0, 1 << 30),
    cameras=st.integers(1, 3),
)
def test_no_clean_match_raises_an_alarm(
    fragments: int,
    frame_bytes: int,
    seed: int,
    cameras: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for n in range(cameras):
        segmentfiles.write_segment(
            folder / "segments" / f"cam{n}_20260211_220241_00.mp4",
            fragments,
            frame_bytes=frame_bytes,
            seed=seed + n,
        )
    manifest = rescan(folder)
    assert verify_match(folder, manifest, checksums=True).faults == ()
    assert verify_match(folder, manifest, checksums=False).faults == ()


def test_three_seconds_of_a_fifty_second_match_fail(tmp_path: Path) -> None:
    segmentfiles.write_segment(tmp_path / "segments" / CAM0, 125)
    segmentfiles.write_segment(tmp_path / "segments" / CAM1, 8)
    report = verify_match(tmp_path, with_times(tmp_path, 50), checksums=False)
    (fault,) = report.faults
    assert (fault.code, fault.camera, fault.segment) == ("footage_missing", "cam1", CAM1)
    assert fault.what == "46.8 s of footage are missing from 3.2 s on"


def test_cameras_are_held_against_each_other_where_nobody_wrote_the_time_down(
    tmp_path: Path,
) -> None:
    segmentfiles.write_segment(tmp_path / "segments" / CAM0, 20)
    segmentfiles.write_segment(tmp_path / "segments" / CAM1, 10)
    manifest = Manifest(match_id="m1", state="interrupted")
    report = verify_match(tmp_path, manifest, checksums=False)
    assert [(fault.code, fault.camera) for fault in report.faults] == [("footage_missing", "cam1")]


def test_a_hole_between_segments_is_a_fault_unless_it_is_a_listed_gap(tmp_path: Path) -> None:
    later = START + 7 * SECOND
    second = "cam0_20260211_220241_01.mp4"
    segmentfiles.write_segment(tmp_path / "segments" / CAM0)
    segmentfiles.write_segment(tmp_path / "segments" / second, start_unix_ns=later)
    silent = with_times(tmp_path, 9, gaps=())
    (fault,) = verify_match(tmp_path, silent, checksums=False).faults
    assert (fault.code, fault.segment) == ("footage_missing", CAM0)

    gap = Gap(
        camera="cam0", from_unix_ns=START + 2 * SECOND, to_unix_ns=later, reason="camera gone"
    )
    report = verify_match(tmp_path, with_times(tmp_path, 9, gaps=(gap,)), checksums=False)
    assert report.ok
    camera = report.camera("cam0")
    assert camera is not None
    assert (camera.recorded_s, camera.gaps_s, camera.expected_s) == (4.0, 5.0, 9.0)


def test_a_gap_without_an_end_lasts_until_the_match_ends(tmp_path: Path) -> None:
    segmentfiles.write_segment(tmp_path / "segments" / CAM0)
    gap = Gap(camera="cam0", from_unix_ns=START + 2 * SECOND, to_unix_ns=None, reason="gone")
    assert verify_match(tmp_path, with_times(tmp_path, 60, gaps=(gap,)), checksums=False).ok
    elsewhere = gap.model_copy(update={"camera": "cam1"})
    report = verify_match(tmp_path, with_times(tmp_path, 60, gaps=(elsewhere,)), checksums=False)
    assert not report.ok


def test_a_picture_that_stood_still_is_a_hole(tmp_path: Path) -> None:
    tick = ticks(segmentfiles.FRAME_NS)
    parts = []
    for n in range(1, 6):
        duration = ticks(5 * SECOND) if n == 5 else tick
        sample = Mp4Sample(b"x" * 50, (n - 1) * tick, (n - 1) * tick, duration, keyframe=True)
        parts.append(fragment_part(n, [sample], START + (n - 1) * segmentfiles.FRAME_NS))
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / CAM0).write_bytes(segmentfiles.join(parts))
    mp4scan.salvage(tmp_path / "segments" / CAM0)
    check = check_segment(tmp_path, CAM0, checksums=True)
    assert check.segment.verified is None  # a stop has to look again
    report = verify_match(tmp_path, rescan(tmp_path), checksums=True)
    assert [fault.code for fault in report.faults] == ["hole"]


def part_of(manifest: Manifest, *, begins_s: float, firsts: dict[str, int]) -> Manifest:
    part = Part(
        number=1,
        boot_id="boot",
        start_ns=START - int(begins_s * SECOND),
        start_monotonic_ns=0,
        unix_minus_monotonic_ns=0,
        trust="synchronised",
        pause_known=True,
        first_ns=firsts,
    )
    return manifest.model_copy(update={"parts": (part,)})


@pytest.mark.parametrize("late_s", [1.4, 1.9, 12.0])
def test_a_camera_is_judged_from_the_first_frame_that_its_start_waited_for(
    match: Path, late_s: float
) -> None:
    begin = START - int(late_s * SECOND)
    expected = Expected(("cam0", "cam1"), from_unix_ns=begin, to_unix_ns=START + 2 * SECOND)
    firsts = {"cam0": START, "cam1": START}
    waited = part_of(rescan(match), begins_s=late_s, firsts=firsts)
    assert verify_match(match, waited, checksums=False, expected=expected).ok


def test_what_is_lost_of_the_first_footage_is_missing_all_the_same(match: Path) -> None:
    """The start told of a first frame; that its file has gone is no reason to expect none."""
    begin = START - 4 * SECOND
    expected = Expected(("cam0", "cam1"), from_unix_ns=begin, to_unix_ns=START + 2 * SECOND)
    firsts = {"cam0": START, "cam1": START - 2 * SECOND}
    waited = part_of(rescan(match), begins_s=4, firsts=firsts)
    report = verify_match(match, waited, checksums=False, expected=expected)
    assert [(f.camera, f.what) for f in report.faults] == [
        ("cam1", "2.0 s of footage are missing from 2.0 s on")
    ]


def test_a_pause_within_a_file_is_a_hole_unless_it_is_a_listed_gap(tmp_path: Path) -> None:
    tick = ticks(segmentfiles.FRAME_NS)
    parts = []
    for n in range(8):
        later_ns = 5 * SECOND if n >= 4 else 0
        dts = n * tick + ticks(later_ns)
        sample = Mp4Sample(b"x" * 50, dts, dts, tick, keyframe=n == 0)
        parts.append(fragment_part(n + 1, [sample], START + n * segmentfiles.FRAME_NS + later_ns))
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / CAM0).write_bytes(segmentfiles.join(parts))
    mp4scan.salvage(tmp_path / "segments" / CAM0)
    manifest = rescan(tmp_path)
    report = verify_match(tmp_path, manifest, checksums=True)
    assert [fault.code for fault in report.faults] == ["hole"]
    at = START + 4 * segmentfiles.FRAME_NS
    gap = Gap(
        camera="cam0", from_unix_ns=at, to_unix_ns=at + 5 * SECOND, reason="frames are missing"
    )
    listed = manifest.model_copy(update={"gaps": (gap,)})
    report = verify_match(tmp_path, listed, checksums=True)
    assert report.ok, report.faults
    (camera,) = report.cameras
    assert camera.recorded_s == pytest.approx(8 * segmentfiles.FRAME_NS / 1e9, abs=0.001)


def test_no_footage_is_never_a_success(tmp_path: Path) -> None:
    empty = Manifest(match_id="m1", state="finished")
    assert not verify_match(tmp_path, empty, checksums=True).ok
    expected = Expected(("cam0", "cam1"), None, None)
    report = verify_match(tmp_path, empty, checksums=True, expected=expected)
    assert [(f.code, f.camera) for f in report.faults] == [
        ("segment_not_found", "cam0"),
        ("segment_not_found", "cam1"),
    ]
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / CAM0).write_bytes(writer.init_part(segmentfiles.CODEC))
    report = verify_match(tmp_path, empty, checksums=True, expected=Expected(("cam0",), None, None))
    assert "no_footage" in {fault.code for fault in report.faults}


def test_a_file_of_another_system_is_named_and_not_judged(match: Path) -> None:
    (match / "segments" / "cam0_20250101_000000_00.mkv").write_bytes(os.urandom(5_000))
    report = verify(match)
    assert report.ok
    assert report.foreign == ("cam0_20250101_000000_00.mkv",)


def test_a_segment_the_manifest_does_not_know_is_checked_too(match: Path) -> None:
    path = match / "segments" / "cam0_20260211_220243_01.mp4"
    segmentfiles.write_segment(path, start_unix_ns=START + 2 * SECOND)
    os.truncate(path, path.stat().st_size - 1)
    assert {fault.segment for fault in verify(match).faults} == {path.name}
