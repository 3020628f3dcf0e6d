"""What a stop, a failed one or an interruption means, as every device shows it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from support.runningmatches import S, match
from touchline.capture.library.manifest.manifest import (
    CameraFacts,
    Gap,
    Interruption,
    Manifest,
    MatchClock,
)
from touchline.capture.library.verification.answers import CameraIntegrity, Integrity
from touchline.capture.recording.answers import StopReport
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.stopreport import stop_report
from touchline.capture.recording.verdict.answers import LastStop
from touchline.capture.recording.verdict.verdict import (
    verdict_of_failure,
    verdict_of_interruption,
    verdict_of_stop,
)

GOOD = {"stopped": True, "eos_received": True, "timed_out": False, "error": None, "finalized": True}
GONE = {"stopped": False, "error": "the worker exited"}


def stopped_match() -> Match:
    it = match()
    it.begin()
    it.tracks[1].mark_lost("no frame for 0.9 s", 110 * S)
    it.end(65 * S)
    it.close_gaps()
    return it


def camera(*, error: str | None = None, found: bool = True) -> CameraIntegrity:
    return {
        "segment_found": found,
        "integrity_checked": True,
        "integrity_ok": error is None,
        "integrity_error": error,
    }


def integrity(**cameras: CameraIntegrity) -> Integrity:
    ok = all(each["integrity_ok"] for each in cameras.values())
    return {"checked": True, "all_ok": ok, "reason": None, "cameras": dict(cameras)}


def report(second: dict[str, Any] = GOOD, **cameras: CameraIntegrity) -> StopReport:
    return stop_report(stopped_match(), {0: GOOD, 1: second}, integrity(**cameras))


def verdict(of: StopReport) -> LastStop:
    found = verdict_of_stop(stopped_match(), of, 1_770_842_000.5)
    return TypeAdapter(LastStop).validate_python(found, strict=True)


def test_a_good_stop_has_its_losses_and_no_faults() -> None:
    found = verdict(report(camera_0=camera(), camera_1=camera()))
    assert (found["success"], found["files_ok"], found["faults"]) == (True, True, [])
    assert found["message"] == "Recording stopped successfully"
    assert (found["match_id"], found["duration"]) == ("m1", 60.0)
    assert found["stopped_at"] == 1_770_842_000.5
    assert found["gaps"] == [
        {
            "camera": "camera_1",
            "name": "CAM 1",
            "from_s": 10.0,
            "seconds": 50.0,
            "reason": "no frame for 0.9 s",
            "kind": "camera",
            "ended": True,
        }
    ]
    assert found["gaps_count"] == 1


def test_each_verdict_has_an_id_of_its_own() -> None:
    good = report(camera_0=camera(), camera_1=camera())
    assert verdict(good)["id"] != verdict(good)["id"]


def test_a_camera_that_did_not_stop_is_named_though_its_files_are_good() -> None:
    found = verdict(report(GONE, camera_0=camera(), camera_1=camera()))
    assert (found["success"], found["files_ok"]) == (False, True)
    assert found["faults"] == [
        {"camera": "camera_1", "name": "CAM 1", "message": "the worker exited"}
    ]


def test_a_camera_that_took_too_long_is_named() -> None:
    late = {**GOOD, "eos_received": False, "timed_out": True, "finalized": False}
    found = verdict(report(late, camera_0=camera(), camera_1=camera()))
    assert [fault["message"] for fault in found["faults"]] == ["it did not stop in time"]


@pytest.mark.parametrize(
    ("checked", "message"),
    [
        (camera(error="a.mp4, byte 3: damaged (and 2 more)"), "a.mp4, byte 3: damaged"),
        (camera(error="segment_not_found", found=False), "no file of it was found"),
    ],
)
def test_a_fault_of_the_files_is_told_by_camera(checked: CameraIntegrity, message: str) -> None:
    found = verdict(report(camera_0=checked, camera_1=camera()))
    assert (found["success"], found["files_ok"]) == (False, False)
    (fault,) = found["faults"]
    assert (fault["camera"], fault["name"]) == ("camera_0", "CAM 0")
    assert fault["message"].startswith(message)


def test_of_a_stop_that_ended_with_an_error_nobody_knows_about_the_files() -> None:
    found = verdict_of_failure(stopped_match(), OSError(5, "Input/output error"), 1.0)
    assert (found["success"], found["files_ok"]) == (False, None)
    assert found["message"] == "Error stopping recording: [Errno 5] Input/output error"
    assert found["gaps_count"] == 1


def test_an_interruption_has_the_losses_before_it() -> None:
    manifest = Manifest(
        match_id="m1",
        state="interrupted",
        clock=MatchClock(start_unix_ns=100 * S, unix_correction_ns=7 * S),
        cameras={"cam1": CameraFacts(kind="test", name="RIGHT")},
        gaps=(
            Gap(camera="cam1", from_unix_ns=110 * S, to_unix_ns=112 * S, reason="r", kind="disk"),
            Gap(camera="cam0", from_unix_ns=150 * S, to_unix_ns=None, reason="the cable is out"),
        ),
        interruptions=(Interruption(at_unix_ns=160 * S, reason="power", resumed=False),),
    )
    found = TypeAdapter(LastStop).validate_python(verdict_of_interruption(manifest), strict=True)
    assert (found["success"], found["files_ok"]) == (False, None)
    assert found["message"].startswith("Recording was interrupted: power. ")
    assert (found["duration"], found["stopped_at"]) == (60.0, 167.0)
    shown = [
        (loss["camera"], loss["name"], loss["from_s"], loss["seconds"], loss["ended"])
        for loss in found["gaps"]
    ]
    assert shown == [
        ("camera_1", "RIGHT", 10.0, 2.0, True),
        ("camera_0", "cam0", 50.0, 10.0, True),
    ]
    assert [loss["kind"] for loss in found["gaps"]] == ["disk", "camera"]
