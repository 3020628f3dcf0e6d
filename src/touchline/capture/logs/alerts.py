"""Definitions of all alerts, and the alerts that a stop's result requires.

An alert is raised on a change: once when something is lost, once when it is restored. These are
values; `alertlog.py` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from touchline.capture.logs.diskstates import meaning_of
from touchline.core.events.kinds import AlertType
from touchline.media.storage import disk

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Alert:
    """Alert in the contract's form. `details` holds only plain JSON values."""

    event_type: AlertType
    severity: Severity
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


def overload_guard_triggered(streak: int, threshold: int, reasons: Sequence[str]) -> Alert:
    """Return the alert for machine or camera overload in `streak` samples in a row."""
    return Alert(
        "recording_overload_guard_triggered",
        "warning",
        "Recording overload guard activated",
        {"unhealthy_streak": streak, "threshold": threshold, "reasons": list(reasons)},
    )


def stop_alerts(report: Mapping[str, Any], min_fps: float) -> list[Alert]:
    """Return the alerts that the result of a stop requires.

    A refused stop or a clean one requires none.
    """
    details = {
        "message": report.get("message"),
        "camera_stop_results": report.get("camera_stop_results", {}),
    }
    alerts: list[Alert] = []
    if report.get("transport_success") is False:
        alerts.append(
            Alert(
                "recording_stop_transport_failure",
                "error",
                "Recording stop transport failed",
                details,
            )
        )
    if report.get("graceful_stop") is False:
        alerts.append(
            Alert(
                "recording_stop_non_graceful",
                "warning",
                "Recording stop completed without full EOS finalization",
                details,
            )
        )
    if (report.get("integrity") or {}).get("all_ok") is False:
        alerts.append(
            Alert(
                "recording_integrity_failed",
                "error",
                "Recording integrity gate failed after stop",
                details,
            )
        )
    slow = _cameras_below(report, min_fps)
    if slow:
        alerts.append(
            Alert(
                "recording_fps_below_slo",
                "warning",
                "Recording effective FPS below SLO threshold",
                {"min_effective_fps": min_fps, "camera_fps": slow},
            )
        )
    return alerts


def recording_interrupted(match_id: str, reason: str, *, at_unix_s: float | None = None) -> Alert:
    """Return the alert for a recording interrupted by the machine, the server or its workers."""
    return Alert(
        "recording_interrupted",
        "error",
        "Recording was interrupted",
        {"match_id": match_id, "reason": reason, "at_unix_s": at_unix_s},
    )


def recording_resumed(match_id: str, *, gap_s: float | None = None) -> Alert:
    """Return the alert for a match that is recorded again after `gap_s` without footage."""
    return Alert(
        "recording_resumed",
        "warning",
        "Interrupted recording resumed",
        {"match_id": match_id, "gap_s": _round_s(gap_s)},
    )


def recording_salvaged(match_id: str, segments: Mapping[str, int]) -> Alert:
    """Return the alert for segments that a crash left open, cut to their last whole fragment.

    `segments` maps each name to the number of bytes cut away.
    """
    return Alert(
        "recording_salvaged",
        "warning",
        "Interrupted segments repaired up to their last complete fragment",
        {"match_id": match_id, "cut_bytes": dict(segments)},
    )


def recording_disk_full(match_id: str, *, free_bytes: int, floor_bytes: int) -> Alert:
    """Return the alert for a disk at its floor.

    Nothing is written until space returns.
    """
    return Alert(
        "recording_disk_full",
        "error",
        "Recording paused because the disk is full",
        {"match_id": match_id, "free_bytes": free_bytes, "floor_bytes": floor_bytes},
    )


_DISK_ALERTS: Mapping[str, tuple[AlertType, Severity, str]] = {
    disk.READ_ONLY: (
        "recording_disk_read_only",
        "error",
        "Recording paused because the disk is read-only",
    ),
    disk.GONE: ("recording_disk_gone", "error", "Recording paused because the disk is gone"),
    disk.SLOW: ("recording_disk_slow", "warning", "The disk is too slow for the recording"),
    disk.FILE_TOO_LARGE: (
        "recording_file_too_large",
        "warning",
        "Recording continues in another file because of a file size limit",
    ),
}


def recording_disk_state(
    match_id: str,
    state: str,
    *,
    error: str | None,
    errno: int | None,
    free_bytes: int,
    floor_bytes: int,
) -> Alert:
    """Return the alert for a disk that delays or refuses footage.

    `state` is one of `worker.disk`.
    """
    if state == disk.FULL:
        return recording_disk_full(match_id, free_bytes=free_bytes, floor_bytes=floor_bytes)
    event_type, severity, message = _DISK_ALERTS.get(
        state, ("recording_disk_failed", "error", "Recording hits disk errors")
    )
    details = {
        "match_id": match_id,
        "state": state,
        "error": error,
        "what_to_do": meaning_of(state, errno).to_do,
    }
    return Alert(event_type, severity, message, details)


def recording_disk_recovered(
    match_id: str, *, free_bytes: int, state: str = disk.FULL, gap_s: float | None = None
) -> Alert:
    """Return the alert for a disk that accepts footage again.

    `state` is the state it was in before.
    """
    message = "Recording continues because the disk has space again"
    if state != disk.FULL:
        message = "Recording continues because the disk works again"
    return Alert(
        "recording_disk_recovered",
        "warning",
        message,
        {
            "match_id": match_id,
            "free_bytes": free_bytes,
            "gap_s": _round_s(gap_s),
            "state": state,
        },
    )


def recording_writer_failed(match_id: str, camera_id: int, error: str) -> Alert:
    """Return the alert for a failed writer of a camera's footage.

    The writer is being replaced.
    """
    return Alert(
        "recording_writer_failed",
        "error",
        f"Footage of camera {camera_id} could not be written",
        {"match_id": match_id, "camera_id": camera_id, "error": error},
    )


def recording_writer_recovered(match_id: str, camera_id: int) -> Alert:
    """Return the alert for a writer that works again after a failure."""
    return Alert(
        "recording_writer_recovered",
        "warning",
        f"Footage of camera {camera_id} is being written again",
        {"match_id": match_id, "camera_id": camera_id},
    )


def recording_camera_lost(match_id: str, camera_id: int, error: str) -> Alert:
    """Return the alert for a lost camera of the running match.

    It ended, stalled, disappeared or lost its worker.
    """
    return Alert(
        "recording_camera_lost",
        "error",
        f"Recording lost camera {camera_id}",
        {"match_id": match_id, "camera_id": camera_id, "error": error},
    )


def recording_camera_recovered(
    match_id: str, camera_id: int, *, attempts: int, gap_s: float | None = None
) -> Alert:
    """Return the alert for a lost camera that is recorded again.

    `gap_s` is the time without footage.
    """
    return Alert(
        "recording_camera_recovered",
        "warning",
        f"Recording recovered camera {camera_id}",
        {
            "match_id": match_id,
            "camera_id": camera_id,
            "attempts": attempts,
            "gap_s": _round_s(gap_s),
        },
    )


def recording_frames_dropped(match_id: str, camera_id: int, *, frames: int, reason: str) -> Alert:
    """Return the alert for frames of a running match that were left out.

    `frames` counts since the previous alert.
    """
    return Alert(
        "recording_frames_dropped",
        "warning",
        f"Recording dropped frames of camera {camera_id}",
        {"match_id": match_id, "camera_id": camera_id, "frames": frames, "reason": reason},
    )


def _cameras_below(report: Mapping[str, Any], min_fps: float) -> dict[str, float]:
    slow: dict[str, float] = {}
    for camera, result in (report.get("camera_stop_results") or {}).items():
        fps = _frame_rate(result.get("integrity_avg_frame_rate"))
        if fps is not None and fps < min_fps:
            slow[camera] = round(fps, 3)
    return slow


def _frame_rate(text: str | None) -> float | None:
    """Return frames per second from ffprobe's "30000/1001"; None if unknown ("0/0")."""
    if not text:
        return None
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return None


def _round_s(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
