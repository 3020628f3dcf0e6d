"""Overload guard that reports a recording at risk from an overloaded machine or camera.

It only signals. It never throttles or stops anything.
"""

from __future__ import annotations

from touchline.capture.logs.alerts import Alert, overload_guard_triggered
from touchline.capture.recording.health.answers import OverloadGuard, RecordingHealth

MAX_ISSUES = 3


class OverloadDetector:
    """Guard that turns on after `streak` bad samples in a row, and off with a clean one.

    Call `once` every poll interval while a match is recorded and `reset` when one starts.
    """

    def __init__(self, *, cpu_percent: float, streak: int) -> None:
        self._cpu_threshold_percent = cpu_percent
        self._streak_threshold = streak
        self.reset()

    def reset(self) -> None:
        """Reset the guard to its initial state."""
        self._triggered_at: float | None = None
        self._last_evaluated_at: float | None = None
        self._streak = 0
        self._cpu_percent: float | None = None
        self._reasons: tuple[str, ...] = ()
        self._health_healthy: bool | None = None
        self._health_message: str | None = None

    def once(
        self, now_unix_s: float, cpu_percent: float | None, health: RecordingHealth
    ) -> Alert | None:
        """Take one sample, and return the alert if this sample turned the guard on."""
        self._last_evaluated_at = now_unix_s
        self._cpu_percent = cpu_percent
        self._health_healthy = health["healthy"]
        self._health_message = health["message"]
        self._reasons = reasons(cpu_percent, self._cpu_threshold_percent, health)
        if not self._reasons:
            self._streak = 0
            self._triggered_at = None
            return None
        self._streak += 1
        if self._triggered_at is not None or self._streak < self._streak_threshold:
            return None
        self._triggered_at = now_unix_s
        return overload_guard_triggered(self._streak, self._streak_threshold, self._reasons)

    @property
    def explain_degraded(self) -> str | None:
        """Text for `degraded_cameras["overload_guard"]`, or None while the guard is off."""
        return None if self._triggered_at is None else "; ".join(self._reasons)

    def status(self) -> OverloadGuard:
        """Return the eight keys of `overload_guard` in the recording status."""
        return {
            "active": self._triggered_at is not None,
            "triggered_at": self._triggered_at,
            "last_evaluated_at": self._last_evaluated_at,
            "unhealthy_streak": self._streak,
            "cpu_percent": self._cpu_percent,
            "reasons": list(self._reasons),
            "health_healthy": self._health_healthy,
            "health_message": self._health_message,
        }


def reasons(
    cpu_percent: float | None, threshold_percent: float, health: RecordingHealth
) -> tuple[str, ...]:
    """Return why this sample is bad.

    The processor comes first, then at most three of the health issues.
    """
    found: list[str] = []
    if cpu_percent is not None and cpu_percent >= threshold_percent:
        found.append(f"cpu {cpu_percent:.1f}% >= {threshold_percent:.1f}% threshold")
    if not health["healthy"]:
        issues = health.get("issues") or []
        found.extend(issues[:MAX_ISSUES] or [health["message"]])
    return tuple(found)
