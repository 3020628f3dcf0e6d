"""Cameras that break off, pause or change under a recording."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from support.coded import CODEC, FRAME_NS, OTHER_CODEC, START_NS, encoded, frames
from support.frames import counters
from support.recorded import DEADLINE_S, eventually, minded, recording


def test_an_interruption_begins_a_new_segment_and_is_listed(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(200, gop=25)
        rig.push(sent[:37])
        rig.recorder.interrupted("the cable was pulled")
        rig.push(sent[110:200])
        report = rig.close()
    assert rig.numbers() == [list(range(37)), list(range(125, 200))]
    assert [s["name"] for s in report["segments"]] == [
        "cam0_20260211_220241_00.mp4",
        "cam0_20260211_220300_01.mp4",
    ]
    (gap,) = report["gaps"]
    assert gap["reason"] == "the cable was pulled"
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == (125 - 37) * FRAME_NS
    assert rig.events("gap") == [{"event": "gap", "gap": gap}]


def test_a_jump_in_the_timestamps_begins_a_new_segment(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(200, gop=25)
        rig.push([*sent[:50], *sent[100:]])
        report = rig.close()
    assert rig.numbers() == [list(range(50)), list(range(100, 200))]
    assert [gap["reason"] for gap in report["gaps"]] == ["frames are missing"]


@pytest.mark.parametrize("away", [26, 100, 900])
@pytest.mark.parametrize("at", [51, 60, 74])
def test_a_camera_that_paused_within_a_gop_loses_no_frame(
    tmp_path: Path, at: int, away: int
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(200, gop=25)
        later_ns = away * FRAME_NS
        rig.push(sent[:at])
        rig.push(
            [f._replace(pts_ns=f.pts_ns + later_ns, dts_ns=f.dts_ns + later_ns) for f in sent[at:]]
        )
        report = rig.close()
    assert rig.numbers() == [list(range(200))]
    (gap,) = report["gaps"]
    assert gap["reason"] == "frames are missing"
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == later_ns
    assert rig.events("gap") == [{"event": "gap", "gap": gap}]
    (scan,) = rig.scans()
    assert (scan.finalized, scan.faults) == (True, ())
    assert scan.duration_ns == 200 * FRAME_NS + later_ns
    assert report["dropped_undecodable"] == 0


@pytest.mark.parametrize("at", [50, 54, 74])
@pytest.mark.parametrize("left_out", [13, 20, 23])
def test_a_worker_that_stood_still_for_a_second_lists_the_frames_that_it_left_out(
    tmp_path: Path, at: int, left_out: int
) -> None:
    """Bug: a hole of less than a second was in the file and in no list."""
    with recording(tmp_path) as rig:
        sent = frames(200, gop=25)
        later_ns = left_out * FRAME_NS
        rig.push(sent[:at])
        rig.push(
            [f._replace(pts_ns=f.pts_ns + later_ns, dts_ns=f.dts_ns + later_ns) for f in sent[at:]]
        )
        report = rig.close()
    assert rig.numbers() == [list(range(200))], "no frame is lost, and the file goes on"
    (gap,) = report["gaps"]
    assert (gap["reason"], gap["kind"]) == ("frames are missing", "frames")
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == later_ns
    (scan,) = rig.scans()
    longest_ns = max(fragment.duration_ns for fragment in scan.fragments)
    assert longest_ns <= 250_000_000, "nor does a picture stand still for it"


def test_a_hole_where_the_next_file_begins_anyway_is_listed(tmp_path: Path) -> None:
    with recording(tmp_path, segment_s=2) as rig:
        sent = frames(100, gop=25)
        later_ns = 20 * FRAME_NS
        rig.push(sent[:50])
        rig.push(
            [f._replace(pts_ns=f.pts_ns + later_ns, dts_ns=f.dts_ns + later_ns) for f in sent[50:]]
        )
        report = rig.close()
    assert rig.numbers() == [list(range(50)), list(range(50, 100))]
    (gap,) = report["gaps"]
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == later_ns


def test_a_hole_is_listed_once_where_a_failed_disk_begins_another_file_after_it(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(100, gop=25)
        later_ns = 20 * FRAME_NS
        late = [
            f._replace(pts_ns=f.pts_ns + later_ns, dts_ns=f.dts_ns + later_ns) for f in sent[50:]
        ]
        rig.push(sent[:50])
        rig.recorder.flush_older_than(-1)
        rig.written()
        rig.disk.fault = errno.EIO
        rig.push(late[:20])
        minded(rig.recorder, lambda: rig.recorder.disk_error is not None, "the fault seen")
        rig.disk.fault = None
        rig.push(late[20:])
        report = rig.close()
    assert [n for found in rig.numbers() for n in found] == list(range(100))
    assert [gap["reason"] for gap in report["gaps"]] == ["frames are missing"]


def test_a_pause_in_a_gop_decodes_to_every_picture(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = encoded(75, gop=75)
        rig.push(sent[:40])
        rig.push(
            [
                f._replace(pts_ns=f.pts_ns + 3_000_000_000, dts_ns=f.dts_ns + 3_000_000_000)
                for f in sent[40:]
            ]
        )
        rig.close()
    (name,) = rig.names()
    assert counters(tmp_path / name) == list(range(75))


def test_a_pause_is_listed_once_when_a_failed_disk_moves_the_gop_to_another_file(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(100, gop=100)
        late = [
            f._replace(pts_ns=f.pts_ns + 2_000_000_000, dts_ns=f.dts_ns + 2_000_000_000)
            for f in sent[40:]
        ]
        rig.push(sent[:40])
        rig.written()
        rig.disk.fault = errno.EIO
        rig.push(late[:20])
        minded(rig.recorder, lambda: rig.recorder.disk_error is not None, "the fault seen")
        rig.disk.fault = None
        rig.push(late[20:])
        report = rig.close()
    assert [n for found in rig.numbers() for n in found] == list(range(100))
    assert [gap["reason"] for gap in report["gaps"]] == ["frames are missing"]


@pytest.mark.parametrize("back", [1, 30, 100])
def test_times_that_go_back_cost_no_frame_and_are_right_again_from_the_next_keyframe_on(
    tmp_path: Path, back: int
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(200, gop=25, start_ns=START_NS + 4_000_000_000)
        earlier_ns = back * FRAME_NS
        rig.push(sent[:60])
        rig.push(
            [
                f._replace(pts_ns=f.pts_ns - earlier_ns, dts_ns=f.dts_ns - earlier_ns)
                for f in sent[60:]
            ]
        )
        report = rig.close()
    assert rig.numbers() == [list(range(75)), list(range(75, 200))]
    assert [scan.faults for scan in rig.scans()] == [(), ()]
    first, second = report["segments"]
    assert second["start_unix_ns"] == first["start_unix_ns"] + (75 - back) * FRAME_NS
    assert report["gaps"] == []


def test_frames_that_nothing_can_be_made_of_after_an_interruption_are_counted(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(100, gop=25)
        rig.push(sent[:37])
        rig.recorder.interrupted("the cable was pulled")
        rig.push(sent[40:])
        assert rig.recorder.status()["dropped_undecodable"] == 10
        report = rig.close()
    assert rig.numbers() == [list(range(37)), list(range(50, 100))]
    assert report["dropped_undecodable"] == 10
    assert [gap["reason"] for gap in report["gaps"]] == ["the cable was pulled"]


def test_another_picture_size_begins_a_new_segment(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(50, gop=25)
        rig.push([*sent[:25], *(f._replace(codec=OTHER_CODEC) for f in sent[25:])])
        report = rig.close()
    assert [scan.width for scan in rig.scans()] == [CODEC.width, OTHER_CODEC.width]
    assert [gap["reason"] for gap in report["gaps"]] == ["the picture format changed"]
    assert report["gaps"][0]["from_unix_ns"] == report["gaps"][0]["to_unix_ns"]


def test_a_segment_without_a_fragment_leaves_no_file_and_is_never_told_of(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(60, gop=25)
        rig.disk.runs.clear()
        rig.push(sent[:25])
        assert rig.disk.waiting.wait(DEADLINE_S)
        rig.recorder.interrupted("away")
        while len(rig.recorder._backlog.jobs) > 1:  # all but its beginning
            rig.recorder._backlog.jobs.pop()
        rig.recorder._backlog.bytes = 0
        rig.disk.runs.set()
        rig.push(sent[50:])
        report = rig.close()
    assert rig.numbers() == [list(range(50, 60))]
    assert len(report["segments"]) == 1
    assert [e["change"] for e in rig.events("segment")] == ["opened", "closed"]


def test_what_a_silent_camera_left_behind_goes_to_the_disk_and_the_camera_may_go_on(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(60, gop=60)
        rig.push(sent[:3])
        rig.recorder.flush_older_than(500_000_000)
        assert rig.recorder._pending, "the last frame has only just come"
        rig.now_ns += 600_000_000
        rig.recorder.flush_older_than(500_000_000)
        eventually(lambda: rig.recorder.frames == 3, "three frames on the disk")
        rig.push(sent[10:])  # within a second, and not with a keyframe
        report = rig.close()
    assert report["frames"] == 53
    assert rig.scans()[0].faults == ()
