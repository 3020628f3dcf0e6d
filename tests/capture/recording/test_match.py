"""The running match in memory: segments, gaps and what is told of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from touchline.capture.library.manifest.manifest import Clock, Gap, Interruption, Manifest, Segment
from touchline.capture.recording.match import Match, Track, degraded_reason

S = 1_000_000_000


def camera(number: int = 0, **status: Any) -> Any:
    return SimpleNamespace(
        id=number,
        name=f"cam{number}",
        key=f"camera_{number}",
        status={"state": "running", **status},
        state="running",
        statuses=1,
        recording=None,
        last_error=None,
        last_frame_age_s=0.01,
        link=SimpleNamespace(connected=True),
        facts=lambda: {"kind": "test", "name": f"CAM {number}"},
    )


def info(index: int, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    return {
        "name": f"cam0_20260211_220241_{index:02d}.mp4",
        "index": index,
        "start_unix_ns": int(start_s * S),
        "end_unix_ns": int(end_s * S),
        "frames": int((end_s - start_s) * 25),
        "fragments": 1,
        "size_bytes": int((end_s - start_s) * 1000),
        "finalized": False,
        **more,
    }


def track(**status: Any) -> Track:
    return Track(camera(**status), 0.0)


def match(*, start_s: float = 100, **more: Any) -> Match:
    clock: dict[str, Any] = {
        "start_unix_ns": int(start_s * S),
        "start_monotonic_ns": 5 * S,
        "boot_id": "b",
    }
    return Match("m1", Path("/matches/m1"), [camera(0), camera(1)], **clock, **more)


def listed(name: str = "cam0_20260101_000000_04.mp4", index: int = 4) -> Segment:
    return Segment(
        name=name, camera="cam0", index=index, start_unix_ns=S, end_unix_ns=2 * S, finalized=True
    )


# ------------------------------------------------------------------ a track


def test_segments_that_follow_each_other_leave_no_gap() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.note_segment(info(1, 10.1, 10.1), "opened")
    assert it.gaps == []
    assert it.next_index == 2
    assert it.newest is not None
    assert it.newest.index == 1


def test_a_pause_between_segments_is_a_gap_with_the_reason_of_the_loss() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    assert it.lose("the cable is out", 99 * S)
    assert [g.to_unix_ns for g in it.all_gaps()] == [None]
    it.note_segment(info(1, 14, 14), "opened")
    assert not it.lost
    (gap,) = it.all_gaps()
    assert (gap.from_unix_ns, gap.to_unix_ns, gap.reason) == (10 * S, 14 * S, "the cable is out")


def test_a_worker_that_was_replaced_at_once_leaves_a_gap_however_short() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.lose("the worker is gone", 10 * S)
    it.note_segment(info(1, 10.1, 10.1), "opened")
    assert [(gap.from_unix_ns, gap.to_unix_ns) for gap in it.gaps] == [(10 * S, int(10.1 * S))]


def test_a_pause_that_nobody_saw_is_a_gap_too() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.note_segment(info(1, 12, 12), "opened")
    assert [gap.reason for gap in it.gaps] == ["the camera was interrupted"]


def test_a_pause_that_the_disk_made_says_so() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.disk, it.disk_error = "full", "15 MiB are free"
    it.note_segment(info(1, 12, 12), "opened")
    assert [gap.reason for gap in it.gaps] == ["15 MiB are free"]
    assert degraded_reason(it) == "disk full: 15 MiB are free"


def test_a_camera_that_comes_late_has_a_gap_from_the_start() -> None:
    it = track()
    it.lose("nobody answers", 3 * S)
    it.note_segment(info(0, 8, 8), "opened")
    (gap,) = it.gaps
    assert (gap.from_unix_ns, gap.to_unix_ns) == (3 * S, 8 * S)


def test_what_a_start_waited_for_is_the_first_frame_and_no_gap() -> None:
    it = match(start_s=100)
    it.tracks[0].note_segment(info(0, 102.5, 103), "opened")
    it.tracks[0].note_segment(info(1, 109, 110), "opened")
    it.tracks[1].lose("nobody answers", 100 * S)
    late = info(0, 104, 105, name="cam1_20260211_220241_00.mp4")
    it.tracks[1].note_segment(late, "opened")
    manifest = it.manifest("recording")
    assert manifest.waits("cam0") == ((100 * S, int(102.5 * S)),)
    assert manifest.waits("cam1") == ()
    assert [(g.camera, g.to_unix_ns) for g in manifest.gaps] == [
        ("cam0", 109 * S),
        ("cam1", 104 * S),
    ]


def test_a_loss_is_news_once_and_keeps_its_newest_reason() -> None:
    it = track()
    assert it.lose("no frame for 0.9 s", S)
    assert not it.lose("no frame for 2.1 s", 2 * S)
    assert it.lost_reason == "no frame for 2.1 s"
    assert it.found_again()
    assert not it.found_again()


def test_an_open_gap_ends_with_the_recording() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.lose("the cable is out", 99 * S)
    it.end_gap(15 * S)
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.all_gaps()] == [(10 * S, 15 * S)]


def test_a_gap_begins_after_what_a_dead_worker_turned_out_to_have_written() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.lose("the worker is gone", 99 * S)
    it.segments[info(0, 0, 0)["name"]] = Segment(
        name="x", camera="cam0", index=0, start_unix_ns=0, end_unix_ns=11 * S
    )
    it.end_gap(15 * S)
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.gaps] == [(11 * S, 15 * S)]


def test_a_loss_in_the_last_moment_is_no_gap() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.lose("the cable is out", 99 * S)
    it.end_gap(10 * S)
    assert list(it.all_gaps()) == []


def test_what_was_verified_stays_verified_while_a_segment_is_reported_again() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    name = info(0, 0, 10)["name"]
    it.segments[name] = it.segments[name].model_copy(update={"verified": True})
    it.note_segment(info(0, 0, 10, finalized=True), "closed")
    assert it.segments[name].verified is True


def test_a_segment_that_was_removed_is_forgotten_but_its_index_is_not_used_again() -> None:
    it = track()
    it.note_segment(info(3, 0, 0), "opened")
    it.note_segment(info(3, 0, 0), "removed")
    assert it.segments == {}
    assert it.next_index == 4


def test_attempts_count_those_of_this_match_and_the_workers_that_died() -> None:
    it = track(attempts=7)
    it.attempts_before = 5
    it.respawns = 1
    assert it.attempts == 3
    it.attempts_before = 9  # a new worker counts from nought
    assert it.attempts == 1


# ------------------------------------------------------------------ a match


def test_a_manifest_holds_the_clock_the_cameras_and_all_segments_in_order() -> None:
    it = match()
    it.tracks[0].note_segment(info(1, 120, 130), "opened")
    it.tracks[0].note_segment(info(0, 100, 110), "opened")
    manifest = it.manifest("recording")
    assert manifest.clock == Clock(start_unix_ns=100 * S, start_monotonic_ns=5 * S, boot_id="b")
    assert [segment.index for segment in manifest.segments] == [0, 1]
    assert manifest.cameras.keys() == {"cam0", "cam1"}


def test_going_on_keeps_clock_segments_gaps_and_index() -> None:
    gap = Gap(camera="cam0", from_unix_ns=1, to_unix_ns=2, reason="rain")
    cut = Interruption(at_unix_ns=3, reason="power", resumed=True)
    before = Manifest(
        match_id="m1",
        state="interrupted",
        clock=Clock(start_unix_ns=50 * S),
        segments=(
            listed(),
            listed("cam7_20260101_000000_00.mp4").model_copy(update={"camera": "cam7"}),
        ),
        gaps=(gap, gap.model_copy(update={"to_unix_ns": None})),
        interruptions=(cut,),
        protected=True,
        process_after_recording=True,
    )
    it = match(before=before)
    assert it.resumed
    assert it.tracks[0].next_index == 5
    manifest = it.manifest("recording")
    assert before.clock is not None
    assert manifest.clock is not None
    assert manifest.clock.start_unix_ns == before.clock.start_unix_ns
    assert {s.name for s in manifest.segments} == {s.name for s in before.segments}
    assert manifest.gaps == (gap,)
    assert manifest.interruptions == (cut,)
    assert manifest.protected
    assert manifest.process_after_recording


def test_a_new_take_keeps_what_is_there_and_counts_from_its_own_start() -> None:
    earlier = Manifest(
        match_id="m1",
        state="finished",
        clock=Clock(start_unix_ns=1),
        segments=(listed(),),
        protected=True,
    )
    it = match(earlier=earlier, monotonic_ns=lambda: 8 * S)
    assert not it.resumed
    assert it.duration_s == 3
    assert it.tracks[0].segments == {}
    assert it.tracks[0].next_index == 5  # so that the index alone orders a camera's files
    it.tracks[0].note_segment(info(5, 100, 110), "opened")
    assert it.tracks[0].gaps == []  # nobody asked to film between the takes
    manifest = it.manifest("recording")
    assert manifest.clock is not None
    assert manifest.clock.start_unix_ns == 1  # one axis for all of the match
    assert len(manifest.segments) == 2
    assert manifest.protected


def test_the_duration_stands_still_once_it_was_stopped() -> None:
    it = match(start_s=100)
    it.ended_unix_ns = 112 * S
    assert it.duration_s == 12
    it.ended_unix_ns = 90 * S  # stopped before the common start
    assert it.duration_s == 0


def test_a_status_of_another_match_is_not_taken() -> None:
    it = match()
    it.take_status(it.tracks[0], {"match_id": "old", "segment": info(0, 0, 1)})
    assert it.tracks[0].segments == {}
    it.take_status(it.tracks[0], {"match_id": "m1", "segment": info(0, 0, 1)})
    assert len(it.tracks[0].segments) == 1


@pytest.mark.parametrize("state", ["stalled", "retrying", "error"])
def test_a_camera_in_trouble_is_lost(state: str) -> None:
    it = match()
    lost = camera(state=state, last_error="the cable is out")
    assert it.lost_reason(lost) == "the cable is out"
    assert it.lost_reason(camera()) is None


def test_a_camera_without_a_worker_is_lost() -> None:
    it = match()
    lost = camera()
    lost.link.connected = False
    assert it.lost_reason(lost) == "the worker is gone"


def test_a_stopping_camera_that_runs_is_said_to_be_stopping() -> None:
    it = match()
    it.phase = "stopping"
    status = it.status(protection_s=10, require_all=True)
    assert status["cameras"]["camera_0"]["state"] == "stopping"


def test_frames_lost_before_the_match_are_not_the_match_s() -> None:
    camera_0 = camera(0, dropped={"source": 1500, "queue": 2})
    clock: dict[str, Any] = {"start_unix_ns": 100 * S, "start_monotonic_ns": 5 * S, "boot_id": "b"}
    running = Match("m1", Path("/matches/m1"), [camera_0], **clock)
    camera_0.status["dropped"] = {"source": 1503, "queue": 2}
    told = running.status(protection_s=10, require_all=True)["cameras"]["camera_0"]
    assert told["dropped"] == {"source": 3, "queue": 0, "disk": 0}
    camera_0.status["dropped"] = {"source": 4, "queue": 0}  # its worker was started anew
    told = running.status(protection_s=10, require_all=True)["cameras"]["camera_0"]
    assert told["dropped"]["source"] == 4
