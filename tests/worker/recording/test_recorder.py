from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.coded import CODEC, FRAME_NS, OTHER_CODEC, START_NS, encoded, frames
from support.frames import assert_gapless, counters
from support.recorded import DEADLINE_S, eventually, minded, numbers_in, recording
from touchline.media.mp4 import scan as mp4scan

# -------------------------------------------------------------- on a good disk


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


# ------------------------------------------------------------------ the end


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


# --------------------------------------------------------- a camera that breaks off


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


# ------------------------------------------------------------------- bad disks


def test_a_stalled_disk_costs_whole_gops_which_are_counted_and_listed(tmp_path: Path) -> None:
    # A GOP is 25 x 500 bytes: four of them fit.
    with recording(tmp_path, backlog_bytes=50_000) as rig:
        sent = frames(500, gop=25)
        rig.push(sent[:25])
        rig.written()
        rig.disk.runs.clear()
        rig.push(sent[25:275])  # ten seconds without a disk
        assert rig.recorder._backlog.bytes <= 50_000 + 25 * 500
        assert rig.recorder.dropped_disk > 0
        rig.disk.runs.set()
        for n in range(275, 500, 25):
            rig.written()
            rig.push(sent[n : n + 25])
        report = rig.close()
    assert report["finalized"]
    first, second = rig.numbers()
    assert first == list(range(len(first)))
    assert len(first) % 25 == 0, "whole GOPs"
    assert second == list(range(second[0], 500))
    assert second[0] == 275
    assert report["dropped_disk"] == second[0] - len(first)
    assert report["frames"] + report["dropped_disk"] == 500
    (gap,) = report["gaps"]
    assert gap["reason"] == "the disk was too slow"
    assert gap["to_unix_ns"] - gap["from_unix_ns"] == (second[0] - len(first)) * FRAME_NS


def test_a_gop_without_end_cannot_fill_the_memory(tmp_path: Path) -> None:
    with recording(tmp_path, backlog_bytes=50_000) as rig:
        sent = frames(1100, gop=1000)
        rig.disk.runs.clear()
        rig.push(sent[:1000])
        assert rig.recorder._backlog.bytes <= 2 * 50_000 + 6 * 500
        rig.disk.runs.set()
        rig.written()
        rig.push(sent[1000:])
        report = rig.close()
    first, second = rig.numbers()
    assert first == list(range(len(first))), "the beginning of the GOP, which can be decoded"
    assert second == list(range(1000, 1100))
    assert report["frames"] + report["dropped_disk"] == 1100


def test_recording_begins_again_only_when_half_of_what_waited_is_written(tmp_path: Path) -> None:
    with recording(tmp_path, backlog_bytes=50_000) as rig:
        sent = frames(400, gop=25)
        rig.disk.runs.clear()
        rig.push(sent[:125])
        skipping = [rig.recorder._skipping]
        rig.recorder._backlog.bytes -= 20_000  # a little room is not enough
        rig.push(sent[125:150])
        skipping.append(rig.recorder._skipping)
        rig.recorder._backlog.bytes -= 10_000
        rig.push(sent[150:175])
        skipping.append(rig.recorder._skipping)
        rig.recorder._backlog.bytes += 30_000
    assert skipping == [True, True, False]


def test_a_disk_that_fills_within_a_fragment_leaves_a_whole_file_and_goes_on_in_it(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(100, gop=25)
        rig.push(sent[:26])
        rig.written()
        rig.disk.fault = errno.ENOSPC
        rig.push(sent[26:60])
        eventually(lambda: rig.recorder.disk_state == "full", "the disk is said to be full")
        (scan,) = rig.scans()
        assert scan.faults == ()
        assert scan.good_bytes == scan.size_bytes
        rig.disk.fault = None
        rig.written()
        rig.push(sent[60:])
        report = rig.close()
    assert rig.numbers() == [list(range(100))]
    assert report["dropped_disk"] == 0
    assert [e["state"] for e in rig.events("disk")] == ["full", "ok"]


def test_what_is_to_be_kept_free_is_kept_free(tmp_path: Path) -> None:
    with recording(tmp_path, min_free_bytes=10 << 20) as rig:
        rig.disk.free = (10 << 20) - 1
        rig.push(frames(30, gop=25))
        eventually(lambda: rig.recorder.disk_state == "full", "the disk is said to be full")
        assert rig.names() == []
        assert "the reserve is 10 MiB" in str(rig.recorder.disk_error)
        rig.disk.free = 1 << 30
        rig.written()
        assert rig.recorder.disk_state == "ok"
    assert rig.numbers() == [list(range(30))]


@pytest.mark.parametrize("where", ["write", "sync"])
def test_after_a_disk_error_another_segment_goes_on_from_the_last_keyframe_without_loss(
    tmp_path: Path, where: str
) -> None:
    with recording(tmp_path) as rig:
        sent = frames(100, gop=25)
        rig.push(sent[:32])
        rig.written()
        rig.disk.fault, rig.disk.fault_at = errno.EIO, where
        rig.push(sent[32:40])
        eventually(lambda: rig.recorder.disk_state == "error", "the disk's error is said")
        rig.disk.fault = None
        rig.written()
        rig.push(sent[40:])
        report = rig.close()
    first, second = rig.numbers()
    assert first == list(range(25)), "what the second file has is cut from the first"
    assert second == list(range(25, 100))
    assert (report["dropped_disk"], report["gaps"]) == (0, [])
    assert report["finalized"], "the first file is mended when the disk is well again"
    assert [scan.faults for scan in rig.scans()] == [(), ()]
    told = {s["name"]: s for s in report["segments"]}
    for scan in rig.scans():
        assert told[Path(scan.path).name]["frames"] == scan.frames
        assert told[Path(scan.path).name]["size_bytes"] == scan.size_bytes
    ends = [s["end_unix_ns"] for s in report["segments"]]
    assert ends[0] == report["segments"][1]["start_unix_ns"]


def test_a_disk_that_cannot_create_uses_up_no_names(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        rig.disk.fault, rig.disk.fault_at = errno.EIO, "sync"
        rig.push(frames(30, gop=25))
        eventually(lambda: rig.disk.calls.count("create") >= 3, "three attempts")
        assert rig.names() in ([], ["cam0_20260211_220241_00.mp4"])
        rig.disk.fault = None
    assert rig.names() == ["cam0_20260211_220241_00.mp4"]
    assert rig.numbers() == [list(range(30))]


def test_closing_on_a_full_disk_is_quick_and_leaves_a_valid_file(tmp_path: Path) -> None:
    with recording(tmp_path) as rig:
        sent = frames(60, gop=25)
        rig.push(sent[:50])
        eventually(lambda: rig.recorder.frames == 49, "all but the last fragment on the disk")
        rig.disk.fault = errno.ENOSPC
        rig.push(sent[50:])
        report = rig.close()
    assert not report["finalized"]
    assert not report["timed_out"]
    assert report["error"] == os.strerror(errno.ENOSPC)
    assert report["dropped_disk"] == 60 - report["frames"]
    (scan,) = rig.scans()
    assert scan.faults == ()
    assert not scan.finalized
    mp4scan.salvage(scan.path)
    assert rig.scans()[0].finalized


def test_closing_on_a_stalled_disk_is_bounded_and_the_writer_ends_what_it_can(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        rig.push(frames(50, gop=25))
        eventually(lambda: rig.recorder.frames == 49, "all but the last fragment on the disk")
        rig.disk.runs.clear()
        report = rig.close(timeout_s=0.1)
        assert not rig.disk.runs.is_set(), "the disk stands still: it was not waited for"
        assert report["timed_out"]
        assert not report["finalized"]
        assert "took no more data" in report["error"]
        assert rig.scans()[0].faults == ()
        assert not rig.recorder.closed
        rig.disk.runs.set()
        eventually(lambda: rig.recorder.closed, "the writer's end")
    assert rig.numbers() == [list(range(50))]
    assert rig.scans()[0].finalized


def test_a_segment_that_a_full_disk_left_open_is_finished_when_there_is_room_again(
    tmp_path: Path,
) -> None:
    with recording(tmp_path, segment_s=1.0) as rig:
        sent = frames(100, gop=25)
        rig.push(sent[:25])
        eventually(lambda: rig.recorder.frames == 19, "the first fragments")
        rig.disk.fault, rig.disk.fault_at = errno.ENOSPC, "sync"
        rig.push(sent[25:60])
        eventually(lambda: rig.recorder.disk_state == "full", "the disk is said to be full")
        rig.disk.fault = None
        rig.push(sent[60:])
        report = rig.close()
    assert report["finalized"]
    assert [n for found in rig.numbers() for n in found] == list(range(100))


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
