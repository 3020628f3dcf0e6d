"""Answers about the health of a recording."""

from __future__ import annotations

from typing import Annotated, NotRequired, get_args

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture.library.verification.answers import ProbeResult
from touchline.capture.recording.health.soundness import IssueKind
from touchline.core.answers import ANSWER, OPEN_OBJECT, Undocumented, example, open_enum


@with_config(ANSWER)
class OverloadGuard(TypedDict):
    """Overload detection during a recording."""

    active: bool
    """Whether the machine was overloaded for several consecutive samples."""
    triggered_at: NotRequired[float | None]
    """Unix time in seconds."""
    last_evaluated_at: NotRequired[float | None]
    """Unix time in seconds."""
    unhealthy_streak: int
    """Number of consecutive overloaded samples so far."""
    cpu_percent: float | None
    """CPU load of the last sample, in percent; null before the first."""
    reasons: list[str]
    """Reasons why the last sample counts as overloaded."""
    health_healthy: NotRequired[bool | None]
    """Copied from recording-health."""
    health_message: NotRequired[str | None]
    """Copied from recording-health."""


@with_config(ANSWER)
class CameraDiagnostics(TypedDict):
    """Diagnostics of one camera of the running recording."""

    pipeline_present: bool
    """Whether a worker process exists for this camera."""
    pipeline_state: str
    """State of the pipeline; `missing` without one."""
    latest_segment: NotRequired[str | None]
    """Segment being written."""
    latest_segment_size: NotRequired[int | None]
    """Bytes."""
    latest_segment_age_seconds: NotRequired[float | None]
    """Seconds since the last write to the segment."""
    integrity_probe: NotRequired[Annotated[ProbeResult, OPEN_OBJECT] | None]
    """Result of the latest probe: `checked`, `ok` and `error`."""
    # Diagnostic fields, which the contract does not name.
    last_frame_age_seconds: NotRequired[Undocumented[float | None]]
    last_error: NotRequired[Undocumented[str | None]]


@with_config(ANSWER)
class RecordingProblem(TypedDict):
    """A problem of the running recording."""

    kind: Annotated[IssueKind, open_enum(get_args(IssueKind))]
    """Kind of problem. Use this in programs, because messages may change."""
    camera: str | None
    """Camera as `camera_N`; null if the whole match is affected."""
    message: str
    """Message as in `issues` or `message`."""


@with_config(
    example(
        {
            "healthy": True,
            "message": "Recording healthy",
            "recovery_attempts": {"camera_0": 0},
            "camera_diagnostics": {
                "camera_0": {
                    "pipeline_present": True,
                    "pipeline_state": "running",
                    "latest_segment": "cam0_20260211_220241_00.mp4",
                    "latest_segment_size": 4035962,
                    "latest_segment_age_seconds": 1.8,
                    "integrity_probe": {"checked": False, "ok": None, "error": None},
                }
            },
        }
    )
)
class RecordingHealth(TypedDict):
    """Health of the running recording."""

    healthy: bool
    """Whether no problem is known."""
    message: str
    """Summary of the problems, or that there are none."""
    issues: NotRequired[list[str] | None]
    """Problems as text; only when unhealthy."""
    problems: NotRequired[list[RecordingProblem] | None]
    """Problems in machine-readable form; only when unhealthy."""
    recovery_attempts: NotRequired[dict[str, int] | None]
    """Entries by `camera_N`."""
    camera_diagnostics: NotRequired[dict[str, CameraDiagnostics] | None]
    """Diagnostics by `camera_N`; always present during a recording."""
