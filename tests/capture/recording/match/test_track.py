from __future__ import annotations

from support.runningmatches import S, camera, info, track
from touchline.capture.library.manifest.manifest import Gap, SegmentRecord
from touchline.capture.library.stretches import Stretch
from touchline.capture.recording.match.status import explain_degraded
from touchline.capture.recording.match.track import Track


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
    assert it.mark_lost("the cable is out", 99 * S)
    assert [g.to_unix_ns for g in it.all_gaps()] == [None]
    it.note_segment(info(1, 14, 14), "opened")
    assert not it.lost
    (gap,) = it.all_gaps()
    assert (gap.from_unix_ns, gap.to_unix_ns, gap.reason) == (10 * S, 14 * S, "the cable is out")


def test_a_worker_that_was_replaced_at_once_leaves_a_gap_however_short() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the worker exited", 10 * S)
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
    assert it.note_disk("full", "15 MiB are free", None)
    it.note_segment(info(1, 12, 12), "opened")
    assert [gap.reason for gap in it.gaps] == ["15 MiB are free"]
    assert explain_degraded(it) == "disk full: 15 MiB are free"


def test_a_gap_that_the_manifest_and_the_worker_know_is_listed_once() -> None:
    """Bug: a server that took a match over listed its gaps twice."""
    told = {"from_unix_ns": S, "to_unix_ns": 2 * S, "reason": "the disk was too slow"}
    before, it = track(), track()
    before.note_gap(told)
    it.take_earlier([], before.gaps)
    it.take_report({"segments": [], "gaps": [told, told]})
    assert it.gaps == before.gaps


def test_a_gap_says_what_lost_the_footage() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the worker exited", 10 * S, "worker")
    assert [gap.kind for gap in it.all_gaps()] == ["worker"]
    it.note_segment(info(1, 14, 15), "opened")
    it.note_disk("full", "15 MiB are free", None)
    it.note_segment(info(2, 18, 19), "opened")
    it.note_disk("ok", None, None)
    it.note_segment(info(3, 22, 23), "opened")
    it.mark_lost("no frame for 0.9 s", 23 * S)
    told = {"from_unix_ns": 30 * S, "to_unix_ns": 31 * S, "reason": "frames are missing"}
    it.note_gap({**told, "kind": "frames"})
    it.note_gap({**told, "from_unix_ns": int(30.5 * S)})  # of a worker of an earlier version
    kinds = [gap.kind for gap in it.all_gaps()]
    assert kinds == ["worker", "disk", "camera", "frames", None, "camera"]


def test_a_camera_that_comes_late_has_a_gap_from_the_start() -> None:
    it = track()
    it.mark_lost("nobody answers", 3 * S)
    it.note_segment(info(0, 8, 8), "opened")
    (gap,) = it.gaps
    assert (gap.from_unix_ns, gap.to_unix_ns) == (3 * S, 8 * S)


def test_a_loss_is_news_once_and_keeps_its_newest_reason() -> None:
    it = track()
    assert it.mark_lost("no frame for 0.9 s", S)
    assert not it.mark_lost("no frame for 2.1 s", 2 * S)
    assert it.lost_reason == "no frame for 2.1 s"
    assert it.mark_recovered()
    assert not it.mark_recovered()


def test_an_open_gap_ends_with_the_recording() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the cable is out", 99 * S)
    it.end_gap(15 * S)
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.all_gaps()] == [(10 * S, 15 * S)]


def test_a_gap_begins_after_what_a_dead_worker_turned_out_to_have_written() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the worker exited", 99 * S)
    it.segments[info(0, 0, 0)["name"]] = SegmentRecord(
        name="x", camera="cam0", index=0, start_unix_ns=0, end_unix_ns=11 * S
    )
    it.end_gap(15 * S)
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.gaps] == [(11 * S, 15 * S)]


def repaired(index: int, start_s: float, end_s: float) -> SegmentRecord:
    facts = info(index, start_s, end_s, finalized=True)
    return SegmentRecord(camera="cam0", **facts)


def test_two_workers_that_die_in_a_row_leave_two_gaps() -> None:
    """The second one wrote a file and died before it reported it."""
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the worker exited", 99 * S, "worker")
    it.take_mended(repaired(0, 0, 10))
    it.take_mended(repaired(1, 14, 15))
    assert it.lost
    gaps = [(g.from_unix_ns, g.to_unix_ns, g.reason) for g in it.all_gaps()]
    assert gaps == [(10 * S, 14 * S, "the worker exited"), (15 * S, None, "the worker exited")]
    it.note_segment(info(2, 18, 18), "opened")
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.all_gaps()] == [
        (10 * S, 14 * S),
        (15 * S, 18 * S),
    ]


def test_a_file_that_is_found_in_a_gap_shortens_it() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the worker exited", 99 * S)
    it.note_segment(info(2, 18, 20), "opened")
    it.take_mended(repaired(1, 14, 15))
    assert [(g.from_unix_ns, g.to_unix_ns) for g in it.all_gaps()] == [
        (10 * S, 14 * S),
        (15 * S, 18 * S),
    ]


def test_the_only_file_of_a_worker_that_died_before_reporting_it_is_the_beginning() -> None:
    it = track()
    it.take_mended(repaired(0, 1, 4))
    assert it.started
    assert (it.first_ns, list(it.all_gaps())) == (S, [])


def test_a_hole_in_what_a_resumed_match_has_is_a_gap_with_the_reason_of_the_loss() -> None:
    """The server died with the worker, before the manifest had the next file."""
    it = track()
    loss = {"camera": "cam0", "from_unix_ns": 10 * S, "to_unix_ns": None, "kind": "worker"}
    it.take_earlier(
        [repaired(0, 0, 10), repaired(1, 14, 20), repaired(2, 25, 30), repaired(3, 33, 34)],
        [
            Gap.model_validate({**loss, "reason": "the worker exited"}),
            Gap(camera="cam0", from_unix_ns=20 * S, to_unix_ns=25 * S, reason="the cable is out"),
        ],
        [Stretch(30 * S, 33 * S)],
    )
    assert [(g.from_unix_ns, g.to_unix_ns, g.reason) for g in it.all_gaps()] == [
        (10 * S, 14 * S, "the worker exited"),
        (20 * S, 25 * S, "the cable is out"),
    ]


def test_a_loss_in_the_last_moment_is_no_gap() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    it.mark_lost("the cable is out", 99 * S)
    it.end_gap(10 * S)
    assert list(it.all_gaps()) == []


def test_what_was_verified_stays_verified_while_a_segment_is_reported_again() -> None:
    it = track()
    it.note_segment(info(0, 0, 10), "opened")
    name = info(0, 0, 10)["name"]
    it.note_verified(name, verified=True)
    it.note_segment(info(0, 0, 10, finalized=True), "closed")
    assert it.segments[name].verified is True


def test_a_segment_that_was_removed_is_forgotten_but_its_index_is_not_used_again() -> None:
    it = track()
    it.note_segment(info(3, 0, 0), "opened")
    it.note_segment(info(3, 0, 0), "removed")
    assert it.segments == {}
    assert it.next_index == 4


def test_attempts_count_those_of_this_match_and_the_workers_that_died() -> None:
    filmed = camera(attempts=7)
    it = Track(filmed, 0.0)
    it.attempts_before = 5
    it.replace_worker()
    assert it.attempts == 3
    filmed.status["attempts"] = 2  # a new worker counts from nought
    assert it.attempts == 1
    it.count_attempts_anew()
    assert it.attempts == 3
