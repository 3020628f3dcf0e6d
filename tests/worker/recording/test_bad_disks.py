"""Recordings on disks that stall, fail or are full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from support.coded import FRAME_NS, frames
from support.recorded import DEADLINE_S, eventually, recording
from touchline.media.mp4 import scan as mp4scan


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


def test_a_recording_has_not_started_while_the_first_fragment_is_being_synced(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as rig:
        rig.disk.waits_at, rig.disk.good_syncs = "sync", 1  # the head of the file is synced
        rig.disk.runs.clear()
        rig.push(frames(30, gop=25))
        assert rig.disk.waiting.wait(DEADLINE_S)
        assert rig.disk.calls == ["create", "write", "sync", "sync_directory", "write", "sync"]
        status = rig.recorder.status()
        assert (status["started"], status["frames"], status["segment"]) == (False, 0, None)
        assert rig.events("segment") == []
        rig.disk.runs.set()
        eventually(lambda: rig.recorder.started, "the recording has started")
        assert rig.events("segment")[0]["change"] == "opened"
        rig.close()
    assert rig.numbers() == [list(range(30))]


@pytest.mark.parametrize(("fault", "state"), [(errno.EIO, "error"), (errno.ENOSPC, "full")])
def test_a_recording_has_not_started_if_the_first_fragment_cannot_be_synced(
    tmp_path: Path, fault: int, state: str
) -> None:
    with recording(tmp_path) as rig:
        rig.disk.fault, rig.disk.fault_at, rig.disk.good_syncs = fault, "sync", 1
        rig.push(frames(30, gop=25))
        eventually(lambda: rig.recorder.disk_state == state, "the disk's error is said")
        status = rig.recorder.status()
        assert (status["started"], status["frames"], status["segment"]) == (False, 0, None)
        assert rig.events("segment") == []
        rig.disk.fault = None
        eventually(lambda: rig.recorder.started, "the recording has started")
        assert rig.events("segment")[0]["change"] == "opened"
        report = rig.close()
    assert rig.numbers() == [list(range(30))]
    assert (report["dropped_disk"], report["gaps"]) == (0, [])


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
