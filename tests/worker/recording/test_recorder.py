"""What is recorded on a good disk, from its first frame to its last."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.coded import FRAME_NS, START_NS, encoded, frames
from support.frames import assert_gapless, counters
from support.recorded import eventually, numbers_in, recording


def test_every_frame_is_in_the_files_and_the_report_counts_them(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        rig.push(frames(103, gop=25))
        report = rig.close()
    assert report["finalized"]
    assert not report["timed_out"]
    assert report["error"] is None
    assert report["frames"] == 103
    assert report["dropped_disk"] == 0
    assert report["gaps"] == []
    assert rig.numbers() == [list(range(103))]
    (segment,) = report["segments"]
    (scan,) = rig.scans()
    assert (scan.finalized, scan.faults, scan.frames) == (True, (), 103)
    assert segment["frames"] == 103
    assert segment["size_bytes"] == scan.size_bytes
    assert segment["fragments"] == len(scan.fragments)
    assert segment["start_unix_ns"] == scan.start_unix_ns
    assert segment["end_unix_ns"] - segment["start_unix_ns"] == 103 * FRAME_NS


def test_fragments_are_short_and_begin_at_every_keyframe(tmp_path: Path) -> None:
    with recording(tmp_path, fragment_s=0.25) as rig:
        rig.push(frames(100, gop=25))
        rig.close()
    (scan,) = rig.scans()
    assert max(f.duration_ns for f in scan.fragments) <= 0.25e9
    firsts = [sum(f.samples for f in scan.fragments[:n]) for n in range(len(scan.fragments))]
    assert {0, 25, 50, 75} <= set(firsts)
    starts = [f.keyframe for f in scan.fragments]
    assert starts.count(True) == 4


def test_the_first_fragment_holds_one_frame_and_does_not_wait_for_the_next(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(60, gop=25)
        rig.push(sent[:1])
        eventually(lambda: rig.recorder.started, "the recording has started")
        assert rig.recorder.frames == 1
        rig.push(sent[1:])
        rig.close()
    (scan,) = rig.scans()
    assert scan.fragments[0].samples == 1
    assert scan.fragments[1].samples > 1
    assert rig.numbers() == [list(range(60))]


def test_segments_change_at_keyframes_only_and_lose_no_frame(tmp_path: Path) -> None:
    with recording(tmp_path, segment_s=1.5) as rig:
        rig.push(frames(150, gop=25))
        report = rig.close()
    assert rig.names() == [f"cam0_20260211_220241_0{n}.mp4" for n in range(3)]
    assert [found[0] for found in rig.numbers()] == [0, 50, 100]
    assert [n for found in rig.numbers() for n in found] == list(range(150))
    assert all(scan.finalized and scan.fragments[0].keyframe for scan in rig.scans())
    assert report["gaps"] == []
    for before, after in pairwise(report["segments"]):
        assert before["end_unix_ns"] == after["start_unix_ns"]


@pytest.mark.parametrize("bframes", [0, 2])
def test_what_was_recorded_plays_frame_by_frame(tmp_path: Path, bframes: int) -> None:
    with recording(tmp_path, segment_s=1.0) as rig:
        rig.push(encoded(75, gop=25, bframes=bframes))
        rig.close()
    paths = [tmp_path / name for name in rig.names()]
    assert len(paths) == 3
    assert assert_gapless(*paths) == list(range(75))


def test_a_recording_begins_with_a_keyframe(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        rig.push(frames(60, gop=25)[10:])
        report = rig.close()
    assert rig.numbers() == [list(range(25, 60))]
    assert report["dropped_disk"] == 0


def test_frames_from_before_the_common_start_are_left_out(tmp_path: Path) -> None:
    with recording(tmp_path, start_monotonic_ns=START_NS + 25 * FRAME_NS) as rig:
        rig.push(frames(60, gop=25))
        rig.close()
    assert rig.numbers() == [list(range(25, 60))]


def test_a_copied_camera_may_begin_with_the_gop_that_runs_already(tmp_path: Path) -> None:
    with recording(tmp_path, start_monotonic_ns=START_NS + 10 * FRAME_NS) as rig:
        rig.recorder.begin_with_past()
        rig.push(frames(60, gop=25))
        rig.close()
    assert rig.numbers() == [list(range(60))]


def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    taken = [tmp_path / f"cam0_20260211_220241_0{n}.mp4" for n in (0, 1)]
    for path in taken:
        path.write_bytes(b"somebody's footage")
    with recording(tmp_path) as rig:
        rig.push(frames(10, gop=25))
        rig.close()
    assert [path.read_bytes() for path in taken] == [b"somebody's footage"] * 2
    assert numbers_in(tmp_path / "cam0_20260211_220241_02.mp4") == list(range(10))


def test_a_power_cut_finds_head_and_name_on_the_disk_before_the_first_fragment(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        rig.push(frames(26, gop=25))
        rig.written()
        calls = list(rig.disk.calls)
    assert calls[:4] == ["create", "write", "sync", "sync_directory"]
    assert calls[4:] == ["write", "sync"] * (len(calls[4:]) // 2)
    assert len(calls) > 4


def test_the_recording_ends_at_the_instant(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        rig.recorder.end_at(START_NS + 40 * FRAME_NS)
        sent = frames(60, gop=25)
        rig.push(sent[:40])
        assert not rig.recorder.end_reached.is_set()
        rig.push(sent[40:])
        assert rig.recorder.end_reached.is_set()
        rig.close()
    assert rig.numbers() == [list(range(40))]


@pytest.mark.parametrize("last", range(30, 42))
def test_with_b_frames_every_picture_before_the_end_is_there(tmp_path: Path, last: int) -> None:
    with recording(tmp_path) as rig:
        rig.recorder.end_at(START_NS + last * FRAME_NS)
        rig.push(encoded(75, gop=25, bframes=2))
        assert rig.recorder.end_reached.is_set()
        rig.close()
    found = counters(tmp_path / rig.names()[0])
    assert found[:last] == list(range(last))
    assert len(found) <= last + 1, "at most the picture that B-frames before the end refer to"


def test_a_frame_held_back_for_b_frames_that_never_come_is_left_out(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(20, gop=25)
        rig.recorder.end_at(START_NS + 10 * FRAME_NS)
        rig.push(sent[:10])
        rig.push([sent[12]._replace(dts_ns=START_NS + 9 * FRAME_NS + 1)])
        assert not rig.recorder.end_reached.is_set()
        rig.close()
    assert rig.numbers() == [list(range(10))]


def test_no_footage_at_all_is_not_a_success(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        report = rig.close()
    assert not report["finalized"]
    assert report["error"] == "no footage was written"
    assert rig.names() == []


def test_the_status_tells_what_is_on_the_disk(tmp_path: Path) -> None:
    status: list[dict[str, Any]] = []
    with recording(tmp_path) as rig:
        rig.push(frames(60, gop=25))
        rig.written()
        status.append(rig.recorder.status())
        rig.close()
    (found,) = status
    assert found["frames"] == found["segment"]["frames"]
    assert found["disk"] == "ok"
    assert found["started"]
    assert found["backlog_bytes"] == 0
