"""The contract's StopResult, as a table of what the cameras and the check said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.runningmatches import part_from
from touchline.capture.library.manifest.manifest import Gap
from touchline.capture.library.verification.answers import CameraIntegrity, Integrity
from touchline.capture.recording.match.match import Match, MatchIdentity
from touchline.capture.recording.stopreport import stop_report

GOOD = {"stopped": True, "eos_received": True, "timed_out": False, "error": None, "finalized": True}
LATE = {**GOOD, "eos_received": False, "timed_out": True, "finalized": False}
BROKEN = {**GOOD, "error": "Input/output error", "finalized": False}
GONE = {"stopped": False, "error": "the worker exited"}

OK = "Recording stopped successfully"
INTEGRITY = "Recording pipelines stopped but integrity checks failed"
UNFINISHED = "Recording pipelines stopped but media finalization was incomplete"
CAMERA = "Recording stop completed with camera errors"


def match() -> Match:
    cameras: list[Any] = [
        SimpleNamespace(
            id=n,
            name=f"cam{n}",
            key=f"camera_{n}",
            status={},
            link=SimpleNamespace(listened_s=lambda: 0.0),
        )
        for n in (0, 1)
    ]
    it = Match(MatchIdentity("m1", Path("/m1")), cameras, part=part_from(0, 0))
    it.ended_unix_ns = 12_345_678_901
    return it


def integrity(*, all_ok: bool | None) -> Integrity:
    checked: CameraIntegrity = {
        "segment_found": True,
        "segment_path": "/m1/segments/a.mp4",
        "integrity_checked": True,
        "integrity_ok": all_ok,
        "integrity_error": None,
        "probe": {"checked": True, "ok": True, "error": None, "avg_frame_rate": "30/1"},
    }
    return {"checked": True, "all_ok": all_ok, "reason": None, "cameras": {"camera_0": checked}}


@pytest.mark.parametrize(
    ("second", "all_ok", "success", "transport", "graceful", "message"),
    [
        (GOOD, True, True, True, True, OK),
        (GOOD, None, True, True, True, OK),
        (GOOD, False, False, True, True, INTEGRITY),
        (LATE, True, False, True, False, UNFINISHED),
        (BROKEN, True, False, True, False, UNFINISHED),
        (LATE, False, False, True, False, INTEGRITY),
        (GONE, True, False, False, False, CAMERA),
        (GONE, None, False, False, False, CAMERA),
        (GONE, False, False, False, False, INTEGRITY),
    ],
)
def test_the_verdict_follows_from_cameras_and_check(
    second: dict[str, Any],
    all_ok: bool | None,  # noqa: FBT001
    success: bool,  # noqa: FBT001
    transport: bool,  # noqa: FBT001
    graceful: bool,  # noqa: FBT001
    message: str,
) -> None:
    report = stop_report(match(), {0: GOOD, 1: second}, integrity(all_ok=all_ok))
    assert report["success"] is success
    assert report["transport_success"] is transport
    assert report["graceful_stop"] is graceful
    assert report["message"] == message


def test_a_camera_says_how_it_stopped_and_what_was_found() -> None:
    report = stop_report(match(), {0: GOOD, 1: GONE}, integrity(all_ok=True))
    assert report["camera_stop_results"] == {
        "camera_0": {
            "success": True,
            "eos_received": True,
            "timed_out": False,
            "error": None,
            "finalized": True,
            "segment_path": "/m1/segments/a.mp4",
            "integrity_checked": True,
            "integrity_ok": True,
            "integrity_error": None,
            "integrity_avg_frame_rate": "30/1",
        },
        # Nothing was looked at: the keys of the check are missing.
        "camera_1": {
            "success": False,
            "eos_received": False,
            "timed_out": False,
            "error": "the worker exited",
            "finalized": False,
        },
    }


def test_duration_and_gaps_of_this_recording_are_told() -> None:
    it = match()
    it.tracks[1].gaps.append(
        Gap(camera="cam1", from_unix_ns=2 * 10**9, to_unix_ns=3_500_000_000, reason="rain")
    )
    report = stop_report(it, {0: GOOD, 1: GOOD}, integrity(all_ok=True))
    assert report["match_id"] == "m1"
    assert report["duration"] == 12.346
    assert report["gaps"] == [
        {
            "camera": "cam1",
            "from_unix_ns": 2 * 10**9,
            "to_unix_ns": 3_500_000_000,
            "reason": "rain",
            "seconds": 1.5,
        }
    ]


def test_a_gap_whose_length_nobody_knows_says_so() -> None:
    it = match()
    it.tracks[0].gaps.append(
        Gap(camera="cam0", from_unix_ns=0, to_unix_ns=1, reason="power", length_known=False)
    )
    report = stop_report(it, {0: GOOD, 1: GOOD}, integrity(all_ok=True))
    assert report["gaps"] is not None
    assert report["gaps"][0]["length_known"] is False
