from __future__ import annotations

from pathlib import Path

from support.runningmatches import S, camera, info, match, part_from
from touchline.capture.recording.answers import ActiveRecording
from touchline.capture.recording.health.guard import OverloadDetector
from touchline.capture.recording.health.health import RecordingJudge
from touchline.capture.recording.match.match import Match, MatchIdentity
from touchline.capture.recording.match.status import observation_of, status_of

IDENTITY = MatchIdentity("m1", Path("/matches/m1"))


def status_now(it: Match, guard: OverloadDetector | None = None) -> ActiveRecording:
    return status_of(
        it,
        protection_s=10,
        require_all=True,
        guard=guard or OverloadDetector(cpu_percent=92.0, streak=1),
        disk_minutes_left=90.0,
    )


def test_an_overloaded_machine_is_among_what_degrades_the_recording() -> None:
    guard = OverloadDetector(cpu_percent=92.0, streak=1)
    it = match()
    sound = status_now(it, guard)
    assert (sound["degraded"], sound["degraded_cameras"]) == (False, {})
    guard.once(1.0, 97.0, {"healthy": True, "message": "Recording healthy"})
    overloaded = status_now(it, guard)
    assert overloaded["degraded"] is True
    assert overloaded["degraded_cameras"] == {"overload_guard": "cpu 97.0% >= 92.0% threshold"}
    assert overloaded["overload_guard"]["active"] is True
    assert overloaded["disk_minutes_left"] == 90.0


def test_a_stopping_camera_that_runs_is_said_to_be_stopping() -> None:
    it = match()
    it.begin_stop()
    status = status_now(it)
    assert status["cameras"]["camera_0"]["state"] == "stopping"


def test_a_pause_of_the_server_is_no_fault_of_a_segment() -> None:
    """A day passes on the clock of the machine, and a moment in which the server could listen."""
    listened_s = [100.0]
    cameras = [camera(0, listened_s=lambda: listened_s[0])]
    part = part_from(100 * S, 5 * S)
    now_ns = [5 * S]
    it = Match(IDENTITY, cameras, part=part, monotonic_ns=lambda: now_ns[0])
    it.tracks[0].note_segment(info(0, 100, 101), "opened")
    it.begin()
    listened_s[0] += 0.5
    now_ns[0] += 86_400 * S
    seen = observation_of(it)
    assert (seen.age_s, seen.cameras[0].segment_age_s, seen.cameras[0].file_age_s) == (0.5,) * 3
    assert RecordingJudge().report(0.0, seen)["healthy"]
    listened_s[0] += 30.0
    seen = observation_of(it)
    assert seen.cameras[0].segment_age_s == 30.5
    assert not RecordingJudge().report(0.0, seen)["healthy"]


def test_frames_lost_before_the_match_are_not_the_match_s() -> None:
    camera_0 = camera(0, dropped={"source": 1500, "queue": 2})
    running = Match(IDENTITY, [camera_0], part=part_from(100 * S, 5 * S))
    camera_0.status["dropped"] = {"source": 1503, "queue": 2}
    told = status_now(running)["cameras"]["camera_0"]
    assert told["dropped"] == {"source": 3, "queue": 0, "disk": 0}
    camera_0.status["dropped"] = {"source": 4, "queue": 0}  # its worker was started anew
    told = status_now(running)["cameras"]["camera_0"]
    assert told["dropped"] == {"source": 4, "queue": 0, "disk": 0}
