"""The health report says the contract's words under its conditions, however it is polled."""

from dataclasses import replace
from typing import Any

import pytest

from support.recordingfacts import camera_facts
from touchline.capture.library.verification.answers import ProbeResult
from touchline.capture.recording.health.health import RecordingJudge
from touchline.capture.recording.health.soundness import CameraObservation, RecordingObservation

MIB = 1 << 20

SOUND = camera_facts(segment_size_bytes=4035962, file_age_s=60.0)
NO_SEGMENT = camera_facts(
    footage=False,
    segment_name=None,
    segment_size_bytes=0,
    segment_age_s=0.0,
    file_age_s=0.0,
    last_frame_age_s=None,
)
PROBED_BAD: ProbeResult = {
    "checked": True,
    "ok": False,
    "error": "no_video_stream",
    "cached": False,
}


def recording(*cameras: CameraObservation, **changes: Any) -> RecordingObservation:
    """A match of a minute with these cameras."""
    base = RecordingObservation(
        match_id="final", age_s=60.0, cameras=cameras, segments_dir_exists=True, phase="recording"
    )
    return replace(base, **changes)


def report(*cameras: CameraObservation, **changes: Any) -> dict[str, Any]:
    """What a watch that sees the match for the first time reports."""
    return dict(RecordingJudge().report(0.0, recording(*cameras, **changes)))


def test_no_recording_is_healthy_and_says_only_that() -> None:
    assert RecordingJudge().report(0.0, None) == {"healthy": True, "message": "No active recording"}


def test_a_sound_recording_has_the_diagnostics_of_the_contract() -> None:
    told = report(SOUND, replace(SOUND, camera_id=1, recovery_attempts=2))
    assert told["healthy"] is True
    assert told["message"] == "Recording healthy"
    assert "issues" not in told
    assert told["recovery_attempts"] == {"camera_0": 0, "camera_1": 2}
    assert told["camera_diagnostics"]["camera_0"] == {
        "pipeline_present": True,
        "pipeline_state": "running",
        "latest_segment": "cam0_20260211_220241_00.mp4",
        "latest_segment_size": 4035962,
        "latest_segment_age_seconds": 0.2,
        "integrity_probe": {"checked": False, "ok": None, "error": None},
        "last_frame_age_seconds": 0.03,
        "last_error": None,
    }


@pytest.mark.parametrize(
    ("changes", "issues"),
    [
        ({"pipeline_present": False, "pipeline_state": "idle"}, ["cam0: Pipeline missing"]),
        ({"pipeline_state": "error"}, ["cam0: Pipeline state error"]),
        ({"segment_size_bytes": 0, "file_age_s": 10.1}, ["cam0: Zero-byte file"]),
        ({"segment_size_bytes": 0, "file_age_s": 10.0}, []),
        (
            {"segment_size_bytes": MIB - 1, "segment_age_s": 30.1},
            ["cam0: File too small (1048575 bytes)"],
        ),
        ({"segment_size_bytes": MIB - 1, "segment_age_s": 30.0}, []),
        ({"segment_size_bytes": MIB, "segment_age_s": 31.0}, []),
        ({"segment_size_bytes": MIB - 1, "segment_age_s": 0.2, "file_age_s": 599.0}, []),
        ({"failed_permanently": True}, ["cam0: Recovery exhausted"]),
        (
            {"recovering": True, "recovery_attempts": 3, "last_error": "not reachable"},
            ["cam0: Recovering (attempt 3): not reachable"],
        ),
        (
            {"recovering": True, "recovery_attempts": 1},
            ["cam0: Recovering (attempt 1): camera lost"],
        ),
        ({"disk": "full"}, ["cam0: Disk full; recording resumes when space is available"]),
        ({"stalled": True, "last_frame_age_s": 0.94}, ["cam0: No frames for 0.9 s"]),
        ({"stalled": True, "last_frame_age_s": None}, ["cam0: No frames yet"]),
        ({"last_frame_age_s": 3.2}, ["cam0: No frames for 3.2 s"]),
        ({"last_frame_age_s": 3.0}, []),
    ],
)
def test_each_fault_of_a_camera_has_its_issue(changes: dict[str, Any], issues: list[str]) -> None:
    told = report(replace(SOUND, **changes))
    assert told.get("issues", []) == issues
    assert told["healthy"] is (not issues)
    assert told["message"] == (", ".join(issues) or "Recording healthy")


def test_the_message_joins_the_issues_of_all_cameras() -> None:
    told = report(replace(SOUND, pipeline_state="error"), replace(SOUND, camera_id=1, stalled=True))
    assert told["message"] == "cam0: Pipeline state error, cam1: No frames for 0.0 s"


def test_a_missing_pipeline_is_shown_as_missing() -> None:
    told = report(replace(SOUND, pipeline_present=False, pipeline_state="idle"))
    assert told["camera_diagnostics"]["camera_0"]["pipeline_state"] == "missing"


def test_a_camera_without_a_segment_is_named_after_twenty_seconds() -> None:
    cameras = (SOUND, replace(NO_SEGMENT, camera_id=1))
    assert report(*cameras, age_s=20.0)["healthy"] is True
    told = report(*cameras, age_s=20.1)
    assert told["issues"] == ["cam1: No segment files after 20 seconds"]
    diagnosis = told["camera_diagnostics"]["camera_1"]
    assert diagnosis["latest_segment"] is None
    assert "latest_segment_size" not in diagnosis
    assert "integrity_probe" not in diagnosis


def test_a_recording_that_has_just_started_is_healthy_with_diagnostics() -> None:
    told = report(NO_SEGMENT, age_s=10.0)
    assert told["healthy"] is True
    assert told["message"] == "Recording just started"
    assert told["recovery_attempts"] == {"camera_0": 0}
    assert told["camera_diagnostics"]["camera_0"]["latest_segment"] is None


def test_a_recording_without_any_segment_is_unhealthy_after_ten_seconds() -> None:
    told = report(NO_SEGMENT, age_s=10.1)
    assert told["healthy"] is False
    assert told["message"] == "No segments after 10 seconds"
    assert "camera_0" in told["camera_diagnostics"]


def test_a_camera_lost_in_the_first_seconds_does_not_pass_as_just_started() -> None:
    told = report(replace(NO_SEGMENT, stalled=True), age_s=2.0)
    assert told["healthy"] is False
    assert told["message"] == "cam0: No frames yet"


def test_a_missing_segments_folder_is_reported_with_diagnostics() -> None:
    told = report(SOUND, segments_dir_exists=False)
    assert told["healthy"] is False
    assert told["message"] == "Segments directory does not exist"
    assert set(told["camera_diagnostics"]) == {"camera_0"}


def test_a_camera_that_stops_with_the_recording_is_no_fault() -> None:
    camera = replace(SOUND, pipeline_state="stopping")
    assert report(camera, phase="stopping")["healthy"] is True
    assert report(camera)["issues"] == ["cam0: Pipeline state stopping"]
    failed = replace(SOUND, pipeline_state="error")
    assert report(failed, phase="stopping")["issues"] == ["cam0: Pipeline state error"]


def test_frequent_polling_does_not_hide_a_segment_that_has_stopped_growing() -> None:
    watch, issues = RecordingJudge(), []
    for tick in range(230):
        now_s = tick / 10
        camera = replace(SOUND, segment_age_s=now_s)
        issues.append(watch.report(now_s, recording(camera)).get("issues", []))
    first = next(i for i, found in enumerate(issues) if found)
    assert first == 201
    assert issues[first] == ["cam0: Segment not growing (size=4035962)"]


def test_two_looks_far_apart_see_a_segment_that_has_stopped_growing() -> None:
    watch = RecordingJudge()
    assert watch.report(0.0, recording(SOUND))["healthy"] is True
    told = watch.report(25.0, recording(replace(SOUND, segment_age_s=25.0)))
    assert told["issues"] == ["cam0: Segment not growing (size=4035962)"]


def test_a_segment_that_grows_between_rare_looks_is_sound() -> None:
    watch = RecordingJudge()
    watch.report(0.0, recording(SOUND))
    grown = replace(SOUND, segment_size_bytes=SOUND.segment_size_bytes + 1, segment_age_s=21.0)
    assert watch.report(25.0, recording(grown))["healthy"] is True


def test_a_new_segment_starts_the_clock_again() -> None:
    watch = RecordingJudge()
    watch.report(0.0, recording(SOUND))
    following = replace(SOUND, segment_name="cam0_20260211_220241_01.mp4", segment_index=1)
    assert watch.report(30.0, recording(following))["healthy"] is True


def test_an_index_that_goes_back_is_told_to_every_poller_for_ten_seconds() -> None:
    watch = RecordingJudge()
    watch.report(0.0, recording(replace(SOUND, segment_name="a_07.mp4", segment_index=7)))
    back = replace(SOUND, segment_name="b_02.mp4", segment_index=2)
    expected = ["cam0: Segment index regressed (2 < 7)"]
    assert watch.report(1.0, recording(back))["issues"] == expected
    assert watch.report(10.9, recording(back))["issues"] == expected
    assert watch.report(11.0, recording(back))["healthy"] is True


def test_the_next_match_does_not_inherit_what_the_last_one_was_remembered_for() -> None:
    watch = RecordingJudge()
    watch.report(0.0, recording(replace(SOUND, segment_name="a_07.mp4", segment_index=7)))
    again = replace(SOUND, segment_age_s=25.0)
    assert watch.report(25.0, recording(again, match_id="replay"))["healthy"] is True


def test_a_still_large_segment_is_due_for_a_probe_and_its_failure_is_an_issue() -> None:
    watch = RecordingJudge()
    large = replace(SOUND, segment_size_bytes=4 * MIB)
    assert watch.due_for_probe(0.0, recording(large)) == ()
    still = replace(large, segment_age_s=11.0)
    assert watch.due_for_probe(10.0, recording(still)) == ()
    assert watch.due_for_probe(10.1, recording(still)) == (still,)
    told: dict[str, Any] = dict(watch.report(10.2, recording(replace(still, probe=PROBED_BAD))))
    assert told["issues"] == ["cam0: Segment probe failed (no_video_stream)"]
    assert told["camera_diagnostics"]["camera_0"]["integrity_probe"] == PROBED_BAD


@pytest.mark.parametrize(
    "changes",
    [
        {"segment_size_bytes": 4 * MIB - 1, "segment_age_s": 30.0},
        {"segment_size_bytes": 4 * MIB, "segment_age_s": 10.0},
        {"segment_name": None, "footage": False},
    ],
)
def test_a_small_or_busy_segment_is_not_probed_and_an_old_result_is_not_shown(
    changes: dict[str, Any],
) -> None:
    watch = RecordingJudge()
    camera = replace(SOUND, probe=PROBED_BAD, **changes)
    watch.report(0.0, recording(camera))
    assert watch.due_for_probe(15.0, recording(camera)) == ()
    told: dict[str, Any] = dict(watch.report(15.0, recording(camera, age_s=15.0)))
    assert not any("probe" in issue for issue in told.get("issues", []))


def test_a_probe_that_could_not_be_made_is_shown_without_an_issue() -> None:
    watch = RecordingJudge()
    unavailable: ProbeResult = {"checked": False, "ok": None, "error": "ffprobe_not_available"}
    camera = replace(SOUND, segment_size_bytes=4 * MIB, segment_age_s=15.0, probe=unavailable)
    watch.report(0.0, recording(camera))
    told: dict[str, Any] = dict(watch.report(15.0, recording(camera)))
    assert told["healthy"] is True
    assert told["camera_diagnostics"]["camera_0"]["integrity_probe"] == unavailable
