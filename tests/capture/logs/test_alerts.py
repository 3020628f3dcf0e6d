"""Each alert has the contract's type, severity and words; a stop calls for the right ones."""

import json
from typing import Any

import pytest

from touchline.capture.logs import alerts
from touchline.capture.logs.alerts import stop_alerts


def stop_result(**changes: Any) -> dict[str, Any]:
    """The result of a clean stop of one camera, with changes."""
    camera = {"success": True, "finalized": True, "integrity_avg_frame_rate": "30/1"}
    return {
        "success": True,
        "message": "Recording stopped successfully",
        "transport_success": True,
        "graceful_stop": True,
        "camera_stop_results": {"camera_0": camera},
        "integrity": {"checked": True, "all_ok": True, "reason": None, "cameras": {}},
        **changes,
    }


def with_rate(rate: str | None) -> dict[str, Any]:
    """A clean stop whose camera had this average frame rate."""
    return stop_result(camera_stop_results={"camera_0": {"integrity_avg_frame_rate": rate}})


def test_a_clean_stop_alerts_nobody() -> None:
    assert stop_alerts(stop_result(), 24.0) == []


@pytest.mark.parametrize(
    ("changes", "event_type", "severity", "message"),
    [
        (
            {"transport_success": False},
            "recording_stop_transport_failure",
            "error",
            "Recording stop transport failed",
        ),
        (
            {"graceful_stop": False},
            "recording_stop_non_graceful",
            "warning",
            "Recording stop completed without full EOS finalization",
        ),
        (
            {"integrity": {"all_ok": False}},
            "recording_integrity_failed",
            "error",
            "Recording integrity gate failed after stop",
        ),
    ],
)
def test_each_failure_of_a_stop_has_its_alert(
    changes: dict[str, Any], event_type: str, severity: str, message: str
) -> None:
    report = stop_result(message="what the stop said", **changes)
    [alert] = stop_alerts(report, 24.0)
    assert (alert.event_type, alert.severity, alert.message) == (event_type, severity, message)
    assert alert.details == {
        "message": "what the stop said",
        "camera_stop_results": report["camera_stop_results"],
    }


def test_a_stop_that_fails_in_every_way_has_every_alert() -> None:
    report = stop_result(
        transport_success=False, graceful_stop=False, integrity={"all_ok": False}
    ) | {"camera_stop_results": {"camera_1": {"integrity_avg_frame_rate": "6/1"}}}
    assert [alert.event_type for alert in stop_alerts(report, 24.0)] == [
        "recording_stop_transport_failure",
        "recording_stop_non_graceful",
        "recording_integrity_failed",
        "recording_fps_below_slo",
    ]


@pytest.mark.parametrize("unknown", [None, {}, {"all_ok": None}])
def test_unknown_integrity_is_no_alert(unknown: dict[str, Any] | None) -> None:
    assert stop_alerts(stop_result(integrity=unknown), 24.0) == []


@pytest.mark.parametrize(
    "refusal",
    [
        {"success": False, "message": "Not currently recording"},
        {"success": False, "message": "Recording protected for 10.0s.", "protected": True},
    ],
)
def test_a_refused_stop_alerts_nobody(refusal: dict[str, Any]) -> None:
    assert stop_alerts(refusal, 24.0) == []


def test_a_low_frame_rate_names_the_slow_cameras_only() -> None:
    report = stop_result(
        camera_stop_results={
            "camera_0": {"integrity_avg_frame_rate": "30000/1001"},
            "camera_1": {"integrity_avg_frame_rate": "24000/1001"},
        }
    )
    [alert] = stop_alerts(report, 24.0)
    assert alert.event_type == "recording_fps_below_slo"
    assert alert.severity == "warning"
    assert alert.message == "Recording effective FPS below SLO threshold"
    assert alert.details == {"min_effective_fps": 24.0, "camera_fps": {"camera_1": 23.976}}


@pytest.mark.parametrize("rate", ["24/1", "30", "0/0", "", "soon", None])
def test_a_sufficient_or_unknown_frame_rate_is_no_alert(rate: str | None) -> None:
    assert stop_alerts(with_rate(rate), 24.0) == []


@pytest.mark.parametrize(
    ("alert", "event_type", "severity"),
    [
        (alerts.recording_interrupted("m", "power cut"), "recording_interrupted", "error"),
        (alerts.recording_resumed("m", gap_s=12.3456), "recording_resumed", "warning"),
        (alerts.recording_salvaged("m", {"a.mp4": 7}), "recording_salvaged", "warning"),
        (
            alerts.recording_disk_full("m", free_bytes=1, floor_bytes=2),
            "recording_disk_full",
            "error",
        ),
        (
            alerts.recording_disk_recovered("m", free_bytes=3),
            "recording_disk_recovered",
            "warning",
        ),
        (alerts.recording_camera_lost("m", 1, "stalled"), "recording_camera_lost", "error"),
        (
            alerts.recording_camera_recovered("m", 1, attempts=2, gap_s=1.5),
            "recording_camera_recovered",
            "warning",
        ),
        (
            alerts.recording_frames_dropped("m", 0, frames=9, reason="disk stalled"),
            "recording_frames_dropped",
            "warning",
        ),
    ],
)
def test_our_own_alerts_name_the_match_and_are_plain_json(
    alert: alerts.Alert, event_type: str, severity: str
) -> None:
    assert alert.event_type == event_type
    assert alert.severity == severity
    assert alert.message.startswith(("Recording ", "Interrupted "))
    assert json.loads(json.dumps(alert.details)) == alert.details
    assert alert.details["match_id"] == "m"


def test_a_gap_is_given_to_the_millisecond() -> None:
    assert alerts.recording_resumed("m", gap_s=12.34567).details["gap_s"] == 12.346
