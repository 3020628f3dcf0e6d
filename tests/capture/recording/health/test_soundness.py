"""A match is judged by its own start and phase, and so is each of its cameras."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, get_args

import pytest

from support.recordingfacts import camera_facts
from touchline.capture.recording.health.health import UNPROBED
from touchline.capture.recording.health.soundness import (
    CameraObservation,
    CameraPhase,
    Growth,
    IssueKind,
    MatchPhase,
    RecordingObservation,
    Verdict,
    camera_phase,
    judge,
)

GROWING = Growth(still_s=0.2, regressed_from=None, probe=UNPROBED)
STATES = ("idle", "starting", "running", "stopping", "error")


def judged(phase: MatchPhase, *cameras: CameraObservation, age_s: float = 1.0) -> Verdict:
    recording = RecordingObservation(
        match_id="final", age_s=age_s, cameras=cameras, segments_dir_exists=True, phase=phase
    )
    growth = {c.camera_id: GROWING for c in cameras if c.segment_name is not None}
    return judge(recording, growth, no_frames_after_s=3.0)


@pytest.mark.parametrize(
    ("match", "footage", "told_since", "expected"),
    [
        ("starting", False, False, "starting"),
        ("starting", False, True, "starting"),
        ("starting", True, False, "written"),  # the other camera is waited for
        ("starting", True, True, "running"),
        ("recording", False, False, "starting"),  # it was not required, and comes late
        ("recording", False, True, "starting"),
        ("recording", True, False, "written"),
        ("recording", True, True, "running"),
        ("stopping", False, True, "stopping"),
        ("stopping", True, False, "stopping"),
        ("stopping", True, True, "stopping"),
    ],
)
def test_a_camera_has_a_phase_of_its_own(
    match: MatchPhase,
    *,
    footage: bool,
    told_since: bool,
    expected: CameraPhase,
) -> None:
    assert camera_phase(match, footage=footage, told_since=told_since) == expected


SOUND_STATES: dict[CameraPhase, set[str]] = {
    "starting": {"idle", "starting", "running"},
    # What is known of the state is older than the footage: only footage counts.
    "written": set(STATES),
    "running": {"starting", "running"},
    "stopping": {"idle", "starting", "running", "stopping"},
}
FACTS: dict[CameraPhase, tuple[MatchPhase, dict[str, Any]]] = {
    "starting": ("recording", {"footage": False, "segment_name": None}),
    "written": ("recording", {"told_since": False}),
    "running": ("recording", {}),
    "stopping": ("stopping", {}),
}


@pytest.mark.parametrize(("phase", "state"), list(itertools.product(FACTS, STATES)))
def test_each_phase_has_its_sound_states(phase: CameraPhase, state: str) -> None:
    match, facts = FACTS[phase]
    other = camera_facts(1)  # so that the match has footage
    told = judged(match, camera_facts(pipeline_state=state, **facts), other)
    sound = state in SOUND_STATES[phase]
    assert told.issues == (() if sound else (f"cam0: Pipeline state {state}",))
    assert told.healthy is sound


ORDINARY: list[tuple[MatchPhase, dict[str, Any]]] = [
    # A worker that was idle for two minutes is started: what it last told is of before.
    ("starting", {"footage": False, "segment_name": None, "pipeline_state": "idle"}),
    (
        "starting",
        {
            "footage": False,
            "segment_name": None,
            "pipeline_state": "starting",
            "last_frame_age_s": 120.0,
        },
    ),
    ("recording", {"told_since": False, "pipeline_state": "idle", "last_frame_age_s": 120.0}),
    ("recording", {"told_since": False, "pipeline_state": "starting", "last_frame_age_s": None}),
    # A network camera that was away came back in time for the start.
    ("recording", {"told_since": False, "pipeline_state": "error", "stalled": True}),
    # The first frames are there a moment before the state says so.
    ("recording", {"pipeline_state": "starting"}),
    ("recording", {}),
    # The files are read back; the pipelines are gone, and no frame comes any more.
    ("stopping", {}),
    ("stopping", {"pipeline_state": "idle", "last_frame_age_s": 40.0, "segment_age_s": 40.0}),
    ("stopping", {"pipeline_state": "error", "stalled": True, "last_frame_age_s": 1.2}),
    # A camera that was ordered and never filmed is stopped.
    ("stopping", {"footage": False, "segment_name": None, "pipeline_state": "idle"}),
]


@pytest.mark.parametrize(("phase", "facts"), ORDINARY)
def test_an_ordinary_start_and_stop_is_healthy_at_every_instant(
    phase: MatchPhase, facts: dict[str, Any]
) -> None:
    for age_s in (0.0, 0.05, 2.0, 9.9):
        assert judged(phase, camera_facts(**facts), camera_facts(1), age_s=age_s) == Verdict(
            True, "Recording healthy", ()
        )
        alone = judged(phase, camera_facts(**facts), age_s=age_s)
        assert alone.healthy, alone


@pytest.mark.parametrize(
    ("phase", "facts", "issue"),
    [
        ("recording", {"pipeline_present": False}, "Pipeline missing"),
        ("stopping", {"pipeline_present": False}, "Pipeline missing"),
        ("recording", {"pipeline_state": "idle"}, "Pipeline state idle"),
        (
            "recording",
            {"pipeline_state": "starting", "segment_age_s": 3.1},
            "Pipeline state starting",
        ),
        # A worker that says nothing after its first fragment cannot hide behind that.
        ("recording", {"told_since": False, "segment_age_s": 3.1}, "No frames for 3.1 s"),
        ("recording", {"last_frame_age_s": 3.1}, "No frames for 3.1 s"),
        ("recording", {"recovering": True, "last_error": "away"}, "Recovering (attempt 0): away"),
        ("recording", {"told_since": False, "disk": "full"}, "Disk full"),
        ("stopping", {"disk": "full"}, "Disk full"),
        ("stopping", {"writer_error": "no"}, "Footage cannot be written: no"),
        ("stopping", {"pipeline_state": "error"}, "Pipeline state error"),
        ("stopping", {"recovering": True, "last_error": "away"}, "Recovering (attempt 0): away"),
    ],
)
def test_what_is_a_fault_in_a_phase_is_told_in_it(
    phase: MatchPhase, facts: dict[str, Any], issue: str
) -> None:
    told = judged(phase, camera_facts(**facts), camera_facts(1))
    assert not told.healthy
    assert any(issue in each for each in told.issues), told


def test_a_resumed_match_whose_workers_are_started_is_judged_from_its_resumption() -> None:
    # It has segments of before the power cut, which do not grow.
    waits = camera_facts(
        footage=False, pipeline_present=False, pipeline_state="error", segment_age_s=2_000.0
    )
    assert judged("starting", waits, age_s=3.0).healthy
    assert judged("starting", waits, age_s=10.1).issues == ("cam0: Pipeline missing",)
    late = replace(waits, pipeline_present=True, pipeline_state="starting")
    assert judged("starting", late, age_s=20.1).issues == (
        "cam0: No segment files after 20 seconds",
    )


KINDS: list[tuple[IssueKind, dict[str, Any], dict[str, Any]]] = [
    ("no_frames", {"last_frame_age_s": 3.1}, {}),
    ("no_segments", {"footage": False, "segment_name": None}, {}),
    ("pipeline_missing", {"pipeline_present": False}, {}),
    ("pipeline_state", {"pipeline_state": "idle"}, {}),
    ("recovering", {"recovering": True, "last_error": "away"}, {}),
    ("recovery_exhausted", {"failed_permanently": True}, {}),
    ("writer_failed", {"writer_error": "no"}, {}),
    ("disk_full", {"disk": "full"}, {}),
    ("disk_read_only", {"disk": "read_only"}, {}),
    ("disk_gone", {"disk": "gone"}, {}),
    ("disk_slow", {"disk": "slow"}, {}),
    ("disk_file_too_large", {"disk": "file_too_large"}, {}),
    ("disk_error", {"disk": "error"}, {}),
    ("disk_error", {"disk": "of a newer worker"}, {}),
    ("zero_bytes", {"segment_size_bytes": 0, "file_age_s": 11.0}, {}),
    ("too_small", {"segment_age_s": 31.0}, {}),
    ("index_regressed", {}, {"regressed_from": 3}),
    ("not_growing", {"segment_size_bytes": 2 << 20, "segment_age_s": 21.0}, {"still_s": 21.0}),
    ("probe_failed", {}, {"probe": {"ok": False, "error": "no_video_stream"}}),
]


def problems(*cameras: CameraObservation, growth: Growth = GROWING, there: bool = True) -> Verdict:
    recording = RecordingObservation(
        match_id="final",
        age_s=25.0,
        cameras=cameras,
        segments_dir_exists=there,
        phase="recording",
    )
    growths = {c.camera_id: growth for c in cameras if c.segment_name is not None}
    return judge(recording, growths, no_frames_after_s=3.0)


@pytest.mark.parametrize(("kind", "facts", "grown"), KINDS)
def test_programs_are_told_what_an_issue_is_about(
    kind: IssueKind, facts: dict[str, Any], grown: dict[str, Any]
) -> None:
    other = camera_facts(1)  # so that the match has footage
    told = problems(camera_facts(**facts), other, growth=replace(GROWING, **grown))
    about = [issue for issue in told.problems if issue.camera == "camera_0"]
    assert [issue.kind for issue in about] == [kind]
    assert about[0].text in told.issues


def test_programs_are_told_what_is_wrong_with_the_whole_match() -> None:
    gone = problems(camera_facts(disk="gone"), there=False)
    assert [(p.kind, p.camera) for p in gone.problems] == [
        ("segments_dir_missing", None),
        ("disk_gone", "camera_0"),
    ]
    assert gone.problems[0].text == gone.message
    none = problems(camera_facts(footage=False, segment_name=None))
    assert [(p.kind, p.camera) for p in none.problems] == [("no_segments", None)]
    assert none.issues == ()


def test_every_kind_of_issue_is_tried() -> None:
    assert {kind for kind, _, _ in KINDS} | {"segments_dir_missing"} == set(get_args(IssueKind))
