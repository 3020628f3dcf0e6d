"""The running match in memory: segments, gaps and what is told of them."""

from __future__ import annotations

import pytest

from support.runningmatches import S, camera, info, listed, match
from touchline.capture.library.manifest.manifest import Gap, Interruption, Manifest, MatchClock

# ------------------------------------------------------------------ a track


def test_what_a_start_waited_for_is_the_first_frame_and_no_gap() -> None:
    it = match(start_s=100)
    it.tracks[0].note_segment(info(0, 102.5, 103), "opened")
    it.tracks[0].note_segment(info(1, 109, 110), "opened")
    it.tracks[1].mark_lost("nobody answers", 100 * S)
    late = info(0, 104, 105, name="cam1_20260211_220241_00.mp4")
    it.tracks[1].note_segment(late, "opened")
    manifest = it.manifest("recording")
    assert manifest.waits("cam0") == ((100 * S, int(102.5 * S)),)
    assert manifest.waits("cam1") == ()
    assert [(g.camera, g.to_unix_ns) for g in manifest.gaps] == [
        ("cam0", 109 * S),
        ("cam1", 104 * S),
    ]


# ------------------------------------------------------------------ a match


def test_a_manifest_holds_the_clock_the_cameras_and_all_segments_in_order() -> None:
    it = match()
    it.tracks[0].note_segment(info(1, 120, 130), "opened")
    it.tracks[0].note_segment(info(0, 100, 110), "opened")
    manifest = it.manifest("recording")
    assert manifest.clock == MatchClock(
        start_unix_ns=100 * S, start_monotonic_ns=5 * S, boot_id="b"
    )
    assert [segment.index for segment in manifest.segments] == [0, 1]
    assert manifest.cameras.keys() == {"cam0", "cam1"}


def test_going_on_keeps_clock_segments_gaps_and_index() -> None:
    gap = Gap(camera="cam0", from_unix_ns=1, to_unix_ns=2, reason="rain")
    cut = Interruption(at_unix_ns=3, reason="power", resumed=True)
    before = Manifest(
        match_id="m1",
        state="interrupted",
        clock=MatchClock(start_unix_ns=50 * S),
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
        clock=MatchClock(start_unix_ns=1),
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
    assert it.lost_reason(lost) == "the worker exited"
