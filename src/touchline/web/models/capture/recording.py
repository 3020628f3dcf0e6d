"""Models of recording: state, start, stop and health."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field

from touchline.capture import IssueKind
from touchline.core.answers import example, open_enum
from touchline.web.models.base import Answer, SchemaKeywords, Truth
from touchline.web.models.capture.details import DetailsBody
from touchline.web.models.unknownfields import Tolerant

_LETTERS = r"\p{L}\p{N}\p{M}_"
MATCH_ID = rf"^([{_LETTERS}-]([{_LETTERS}. -]{{0,126}}[{_LETTERS}.-])?)?$"
"""Pattern of a match id, or empty. Ids that need more than 255 bytes are refused as well."""

CAMERA_STATES = ("idle", "starting", "running", "stopping", "error")
CameraState = Annotated[str, open_enum(CAMERA_STATES)]


class OverloadGuard(Answer):
    """Overload detection during a recording."""

    active: bool = Field(
        description="Whether the machine was overloaded for several consecutive samples."
    )
    triggered_at: float | None = Field(default=None, description="Unix time in seconds.")
    last_evaluated_at: float | None = Field(default=None, description="Unix time in seconds.")
    unhealthy_streak: int = Field(description="Number of consecutive overloaded samples so far.")
    cpu_percent: float | None = Field(
        description="CPU load of the last sample, in percent; null before the first."
    )
    reasons: list[str] = Field(description="Reasons why the last sample counts as overloaded.")
    health_healthy: bool | None = Field(default=None, description="Copied from recording-health.")
    health_message: str | None = Field(default=None, description="Copied from recording-health.")


class CameraRecovery(Answer):
    """Recovery of a camera during this recording."""

    attempts: int = Field(description="Number of recovery attempts of this camera.")
    recovering: bool = Field(description="Whether a recovery attempt is in progress.")
    failed_permanently: bool = Field(
        description="Whether the configured limit of attempts was reached."
    )
    last_error: str | None = Field(description="Last error; null after a successful attempt.")
    last_recovery_ts: float | None = Field(description="Time of the last attempt, in Unix seconds.")


class CameraUptime(Answer):
    """A camera of the running recording."""

    state: CameraState = Field(description="State of the camera.")
    uptime: float = Field(description="Seconds since the last start.")
    dropped: dict[str, int] | None = Field(
        default=None,
        description="Dropped frames of this match, by the place where they were dropped.",
    )
    gaps: int | None = Field(
        default=None,
        description="Number of gaps: intervals of this match without footage of the camera.",
    )


class IdleRecording(Answer):
    """State without a recording."""

    recording: Literal[False]
    match_id: None
    duration: float = Field(description="Always 0.0.")
    cameras: dict[str, CameraUptime] = Field(description="Always empty.")
    degraded: bool = Field(description="Always false.")
    degraded_cameras: dict[str, str] = Field(description="Always empty.")
    camera_recovery: dict[str, CameraRecovery] = Field(description="Always empty.")
    overload_guard: OverloadGuard


class ActiveRecording(Answer):
    """State during a recording."""

    recording: Literal[True]
    match_id: str = Field(description="Match id, which is also the name of its directory.")
    duration: float = Field(description="Seconds since the start of the recording.")
    cameras: dict[str, CameraUptime] = Field(description="Entries by `camera_N`.")
    protected: bool = Field(
        description="Whether the recording is within the protection period and stops only with"
        " `force`."
    )
    require_all_cameras: bool = Field(description="Whether a missing camera prevents the start.")
    degraded: bool = Field(description="Whether `degraded_cameras` has entries.")
    degraded_cameras: dict[str, str] = Field(description="Reasons, by `camera_N` or other cause.")
    camera_recovery: dict[str, CameraRecovery] = Field(description="Entries by `camera_N`.")
    overload_guard: OverloadGuard
    disk_minutes_left: float | None = Field(
        default=None, description="Estimated minutes of recording until the disk is full, if known."
    )


RecordingStatus = IdleRecording | ActiveRecording

_GUARD_EXAMPLE: dict[str, Any] = {
    "active": False,
    "triggered_at": None,
    "last_evaluated_at": None,
    "unhealthy_streak": 0,
    "cpu_percent": None,
    "reasons": [],
    "health_healthy": None,
    "health_message": None,
}
IDLE_EXAMPLE: dict[str, Any] = {
    "recording": False,
    "match_id": None,
    "duration": 0.0,
    "cameras": {},
    "degraded": False,
    "degraded_cameras": {},
    "camera_recovery": {},
    "overload_guard": _GUARD_EXAMPLE,
}


class StartRecording(Tolerant):
    """Recording to start. Unknown fields are ignored and listed in the response's `warnings`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "match_id": "match_20260211_001",
                    "force": False,
                    "process_after_recording": False,
                }
            ]
        },
    )

    match_id: Annotated[str, SchemaKeywords({"pattern": MATCH_ID})] | None = Field(
        default=None,
        description="Match id: 1-128 letters, digits, spaces and `._-`, without a leading dot or"
        " leading or trailing spaces. Default: `match_<unix seconds>`.",
    )
    force: Truth | None = Field(default=False, description="Stop a running recording first.")
    process_after_recording: Truth | None = Field(
        default=False, description="Start post-processing after the recording."
    )
    require_all_cameras: Truth | None = Field(
        default=None,
        description="Whether a missing camera prevents the start. Default:"
        " `capture.require_all_cameras`. A camera that is not required joins as soon"
        " as it delivers frames.",
    )
    details: DetailsBody | None = Field(
        default=None,
        description="Details of the match, stored once it is being recorded, as by"
        " `PUT /api/v1/matches/{match_id}/details`.",
    )


class StartReport(Answer):
    """Result of a start. If `success` is false, the start was refused and nothing changed."""

    model_config = example(
        {
            "success": True,
            "message": "Recording started for match: match_20260211_001",
            "match_id": "match_20260211_001",
            "cameras_started": [0, 1],
            "cameras_failed": [],
            "require_all_cameras": True,
        }
    )

    success: bool = Field(description="Whether footage of every required camera is on the disk.")
    message: str = Field(description="Human-readable result.")
    match_id: str | None = Field(default=None, description="Match id; only on success.")
    cameras_started: list[int] | None = Field(default=None, description="Ids.")
    cameras_failed: list[int] | None = Field(default=None, description="Ids.")
    failed_cameras: list[int] | None = Field(
        default=None,
        description="Like `cameras_failed`, if no camera started and not all were required.",
    )
    require_all_cameras: bool | None = Field(
        default=None, description="Value of `require_all_cameras` that applied."
    )
    errors: dict[str, str] | None = Field(
        default=None, description="Reasons by `camera_N` for cameras that do not record."
    )
    warnings: list[str] | None = Field(
        default=None, description="Unknown fields of the request that were ignored."
    )
    disk_minutes_left: float | None = Field(
        default=None,
        description="Estimated minutes until the disk is full at the current bit rate; null if"
        " not known yet.",
    )


class CameraStop(Answer):
    """Result of stopping one camera, and the state of its last segment."""

    success: bool = Field(description="Whether the stop reached the camera.")
    eos_received: bool = Field(description="Whether the end of the stream was written.")
    timed_out: bool = Field(description="Whether the camera failed to stop in time.")
    error: str | None = Field(description="Error message; null without an error.")
    finalized: bool = Field(description="Whether the file is complete.")
    segment_path: str | None = Field(default=None, description="Newest segment.")
    integrity_checked: bool | None = Field(
        default=None, description="Whether the segment was read."
    )
    integrity_ok: bool | None = Field(
        default=None, description="Whether the segment is intact; null if unknown."
    )
    integrity_error: str | None = Field(default=None, description="First fault found.")
    integrity_avg_frame_rate: str | None = Field(
        default=None, description='Average frame rate, such as "30/1".'
    )


class CameraIntegrity(Answer):
    """Integrity of one camera's segments."""

    segment_found: bool = Field(description="Whether any footage was found.")
    segment_path: str | None = Field(default=None, description="Newest segment.")
    segment_size: int | None = Field(default=None, description="Size in bytes, if found.")
    integrity_checked: bool = Field(description="Whether the segment was read.")
    integrity_ok: bool | None = Field(description="Whether the segment is intact; null if unknown.")
    integrity_error: str | None = Field(description="First fault found.")
    probe: dict[str, Any] | None = Field(default=None, description="Output of ffprobe.")


class Integrity(Answer):
    """Integrity of the footage, over every segment of the match."""

    checked: bool = Field(description="Whether the segments of every camera were read.")
    all_ok: bool | None = Field(
        description="Whether every segment is intact; null if unknown for any camera."
    )
    reason: str | None = Field(
        description="Reason for not checking: segments_dir_missing or no_segments_found."
    )
    cameras: dict[str, CameraIntegrity] = Field(description="Entries by `camera_N`.")


_STOPPED_CAMERA: dict[str, Any] = {
    "success": True,
    "eos_received": True,
    "timed_out": False,
    "error": None,
    "finalized": True,
}


class StopReport(Answer):
    """Result of a stop. `success` means that the footage of every camera is complete and intact."""

    model_config = example(
        {
            "success": True,
            "message": "Recording stopped successfully",
            "transport_success": True,
            "graceful_stop": True,
            "camera_stop_results": {"camera_0": _STOPPED_CAMERA},
            "integrity": {"checked": True, "all_ok": True, "reason": None, "cameras": {}},
        }
    )

    success: bool = Field(description="Whether all files were finalised and no fault was found.")
    message: str = Field(description="Human-readable result.")
    protected: bool | None = Field(
        default=None, description="True if the stop was refused because of the protection period."
    )
    transport_success: bool | None = Field(
        default=None, description="Whether every camera was reached."
    )
    graceful_stop: bool | None = Field(default=None, description="Whether every file is complete.")
    camera_stop_results: dict[str, CameraStop] | None = Field(
        default=None, description="Entries by `camera_N`."
    )
    integrity: Integrity | None = Field(
        default=None, description="Result of the integrity check; missing if no camera was stopped."
    )
    match_id: str | None = Field(default=None, description="Match that was stopped.")
    duration: float | None = Field(default=None, description="Recorded duration in seconds.")
    gaps: list[dict[str, Any]] | None = Field(
        default=None, description="Gaps in the footage: camera, from, to, reason."
    )


class CameraDiagnostics(Answer):
    """Diagnostics of one camera of the running recording."""

    pipeline_present: bool = Field(description="Whether a worker process exists for this camera.")
    pipeline_state: str = Field(description="State of the pipeline; `missing` without one.")
    latest_segment: str | None = Field(default=None, description="Segment being written.")
    latest_segment_size: int | None = Field(default=None, description="Bytes.")
    latest_segment_age_seconds: float | None = Field(
        default=None, description="Seconds since the segment was started."
    )
    integrity_probe: dict[str, Any] | None = Field(
        default=None, description="Result of the latest probe: `checked`, `ok` and `error`."
    )


class RecordingProblem(Answer):
    """A problem of the running recording."""

    kind: Annotated[str, open_enum(get_args(IssueKind))] = Field(
        description="Kind of problem. Use this in programs, because messages may change."
    )
    camera: str | None = Field(
        description="Camera as `camera_N`; null if the whole match is affected."
    )
    message: str = Field(description="Message as in `issues` or `message`.")


class RecordingHealth(Answer):
    """Health of the running recording."""

    model_config = example(
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

    healthy: bool = Field(description="Whether no problem is known.")
    message: str = Field(description="Summary of the problems, or that there are none.")
    issues: list[str] | None = Field(
        default=None, description="Problems as text; only when unhealthy."
    )
    problems: list[RecordingProblem] | None = Field(
        default=None, description="Problems in machine-readable form; only when unhealthy."
    )
    recovery_attempts: dict[str, int] | None = Field(
        default=None, description="Entries by `camera_N`."
    )
    camera_diagnostics: dict[str, CameraDiagnostics] | None = Field(
        default=None, description="Diagnostics by `camera_N`; always present during a recording."
    )
