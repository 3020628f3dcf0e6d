"""The overload guard turns on after enough bad samples in a row, and off with one clean sample."""

import pytest

from touchline.capture.recording.health.answers import RecordingHealth
from touchline.capture.recording.health.guard import OverloadDetector, reasons

HEALTHY: RecordingHealth = {"healthy": True, "message": "Recording healthy"}
SICK: RecordingHealth = {
    "healthy": False,
    "message": "cam0: a, cam0: b, cam1: c, cam1: d",
    "issues": ["cam0: a", "cam0: b", "cam1: c", "cam1: d"],
}
JUST_A_MESSAGE: RecordingHealth = {"healthy": False, "message": "No segments after 10 seconds"}


def guard() -> OverloadDetector:
    """A guard with the contract's defaults."""
    return OverloadDetector(cpu_percent=92.0, streak=3)


@pytest.mark.parametrize(
    ("cpu_percent", "health", "expected"),
    [
        (97.84, HEALTHY, ("cpu 97.8% >= 92.0% threshold",)),
        (92.0, HEALTHY, ("cpu 92.0% >= 92.0% threshold",)),
        (91.9, HEALTHY, ()),
        (None, HEALTHY, ()),
        (10.0, SICK, ("cam0: a", "cam0: b", "cam1: c")),
        (10.0, JUST_A_MESSAGE, ("No segments after 10 seconds",)),
        (99.0, JUST_A_MESSAGE, ("cpu 99.0% >= 92.0% threshold", "No segments after 10 seconds")),
    ],
)
def test_the_reasons_of_a_sample(
    cpu_percent: float | None, health: RecordingHealth, expected: tuple[str, ...]
) -> None:
    assert reasons(cpu_percent, 92.0, health) == expected


def test_a_guard_that_has_not_sampled_shows_all_eight_keys() -> None:
    assert guard().status() == {
        "active": False,
        "triggered_at": None,
        "last_evaluated_at": None,
        "unhealthy_streak": 0,
        "cpu_percent": None,
        "reasons": [],
        "health_healthy": None,
        "health_message": None,
    }


def test_three_bad_samples_in_a_row_turn_it_on_and_alert_once() -> None:
    one = guard()
    assert one.once(100.0, 95.0, HEALTHY) is None
    assert one.once(105.0, 95.0, HEALTHY) is None
    assert one.status()["active"] is False
    assert one.explain_degraded is None
    alert = one.once(110.0, 96.04, HEALTHY)
    assert alert is not None
    assert alert.event_type == "recording_overload_guard_triggered"
    assert alert.severity == "warning"
    assert alert.message == "Recording overload guard activated"
    assert alert.details == {
        "unhealthy_streak": 3,
        "threshold": 3,
        "reasons": ["cpu 96.0% >= 92.0% threshold"],
    }
    assert one.once(115.0, 10.0, SICK) is None, "an active guard does not alert again"
    assert one.status() == {
        "active": True,
        "triggered_at": 110.0,
        "last_evaluated_at": 115.0,
        "unhealthy_streak": 4,
        "cpu_percent": 10.0,
        "reasons": ["cam0: a", "cam0: b", "cam1: c"],
        "health_healthy": False,
        "health_message": SICK["message"],
    }
    assert one.explain_degraded == "cam0: a; cam0: b; cam1: c"


def test_one_clean_sample_breaks_the_streak() -> None:
    one = guard()
    for cpu_percent in (95.0, 95.0, 10.0, 95.0, 95.0):
        assert one.once(0.0, cpu_percent, HEALTHY) is None
    assert one.status()["unhealthy_streak"] == 2
    assert one.status()["active"] is False


def test_one_clean_sample_turns_it_off_and_a_new_streak_alerts_again() -> None:
    one = guard()
    alerts = [one.once(float(i), 95.0, HEALTHY) for i in range(3)]
    assert alerts[2] is not None
    one.once(3.0, 10.0, HEALTHY)
    assert one.status()["active"] is False
    assert one.status()["triggered_at"] is None
    assert one.status()["reasons"] == []
    assert one.explain_degraded is None
    assert [one.once(float(i), 95.0, HEALTHY) is not None for i in range(3)] == [False, False, True]


def test_a_reset_forgets_an_active_guard() -> None:
    one = guard()
    for i in range(3):
        one.once(float(i), 95.0, SICK)
    one.reset()
    assert one.status() == guard().status()
    assert one.explain_degraded is None


def test_a_status_that_was_handed_out_does_not_change_later() -> None:
    one = guard()
    one.once(0.0, 95.0, HEALTHY)
    status = one.status()
    status["reasons"].append("spoilt")
    assert one.status()["reasons"] == ["cpu 95.0% >= 92.0% threshold"]
