"""Recording: its state, its start, its stop and its health."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field

from touchline.capture import IssueKind
from touchline.web.models.base import Answer, Told, Truth, example, open_enum
from touchline.web.models.unknownfields import Tolerant

_LETTERS = r"\p{L}\p{N}\p{M}_"
MATCH_ID = rf"^([{_LETTERS}-]([{_LETTERS}. -]{{0,126}}[{_LETTERS}.-])?)?$"
"""What names a match, or nothing. Where that takes more than 255 bytes it is refused, too."""

CAMERA_STATES = ("idle", "starting", "running", "stopping", "error")
CameraState = Annotated[str, open_enum(CAMERA_STATES)]


class OverloadGuard(Answer):
    """Whether the machine keeps up with the recording."""

    active: bool = Field(description="Overloaded for several samples in a row.")
    triggered_at: float | None = Field(default=None, description="Unix seconds.")
    last_evaluated_at: float | None = Field(default=None, description="Unix seconds.")
    unhealthy_streak: int = Field(description="Bad samples in a row, until now.")
    cpu_percent: float | None = Field(description="Of the last sample; null before the first.")
    reasons: list[str] = Field(description="Why the last sample was bad.")
    health_healthy: bool | None = Field(default=None, description="As recording-health said.")
    health_message: str | None = Field(default=None, description="As recording-health said.")


class CameraRecovery(Answer):
    """What was tried to bring a camera back during this recording."""

    attempts: int = Field(description="Restarts of this camera so far.")
    recovering: bool = Field(description="A restart is under way.")
    failed_permanently: bool = Field(description="A configured limit of attempts was reached.")
    last_error: str | None = Field(description="Null after a success.")
    last_recovery_ts: float | None = Field(description="Unix seconds of the last attempt.")


class CameraUptime(Answer):
    """One camera of the running recording."""

    state: CameraState = Field(description="What it is doing.")
    uptime: float = Field(description="Seconds since it last started.")
    dropped: dict[str, int] | None = Field(
        default=None, description="Frames lost in this match, by where they were lost."
    )
    gaps: int | None = Field(default=None, description="Stretches of this match it did not film.")


class IdleRecording(Answer):
    """Nothing is recorded."""

    recording: Literal[False]
    match_id: None
    duration: float = Field(description="Always 0.0.")
    cameras: dict[str, CameraUptime] = Field(description="Always empty.")
    degraded: bool = Field(description="Always false.")
    degraded_cameras: dict[str, str] = Field(description="Always empty.")
    camera_recovery: dict[str, CameraRecovery] = Field(description="Always empty.")
    overload_guard: OverloadGuard


class ActiveRecording(Answer):
    """A match is being recorded."""

    recording: Literal[True]
    match_id: str = Field(description="The match, and the name of its folder.")
    duration: float = Field(description="Seconds since the start.")
    cameras: dict[str, CameraUptime] = Field(description="By `camera_N`.")
    protected: bool = Field(description="Too young to be stopped without `force`.")
    require_all_cameras: bool = Field(description="Whether one missing camera refuses a start.")
    degraded: bool = Field(description="Whether `degraded_cameras` has any entry.")
    degraded_cameras: dict[str, str] = Field(description="Reasons by `camera_N` or other cause.")
    camera_recovery: dict[str, CameraRecovery] = Field(description="By `camera_N`.")
    overload_guard: OverloadGuard
    disk_minutes_left: float | None = Field(
        default=None, description="Minutes of recording that the disk lasts, as far as is known."
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
    """What to record. Unknown fields are ignored, and named in the answer's `warnings`."""

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

    match_id: Annotated[str, Told({"pattern": MATCH_ID})] | None = Field(
        default=None,
        description="1-128 letters, digits, spaces and `._-`, no dot first, no space first or "
        "last; empty or missing: `match_<unix seconds>`.",
    )
    force: Truth | None = Field(default=False, description="End a running recording first.")
    process_after_recording: Truth | None = Field(
        default=False, description="Start post-processing after the stop."
    )
    require_all_cameras: Truth | None = Field(
        default=None,
        description="Whether one missing camera refuses this start; missing: as"
        " `capture.require_all_cameras` says. A camera that was not required joins when it can.",
    )


class StartReport(Answer):
    """How a start went; `success` false is a refusal and nothing has changed."""

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

    success: bool = Field(description="Footage of every required camera is on the disk.")
    message: str = Field(description="What happened, for people.")
    match_id: str | None = Field(default=None, description="Only on success.")
    cameras_started: list[int] | None = Field(default=None, description="Ids.")
    cameras_failed: list[int] | None = Field(default=None, description="Ids.")
    failed_cameras: list[int] | None = Field(
        default=None, description="The same, where no camera started and not all were required."
    )
    require_all_cameras: bool | None = Field(default=None, description="The rule that applied.")
    errors: dict[str, str] | None = Field(
        default=None, description="Why a camera does not record, by `camera_N`."
    )
    warnings: list[str] | None = Field(
        default=None, description="Fields of the request that are not known and were ignored."
    )
    disk_minutes_left: float | None = Field(
        default=None, description="Minutes the disk lasts at this bit rate; null: not known yet."
    )


class CameraStop(Answer):
    """How one camera was stopped and what its last segment is worth."""

    success: bool = Field(description="The stop reached the camera.")
    eos_received: bool = Field(description="The end of the stream was written.")
    timed_out: bool = Field(description="It did not end in time.")
    error: str | None = Field(description="Null if there was none.")
    finalized: bool = Field(description="Its file is complete.")
    segment_path: str | None = Field(default=None, description="The newest segment.")
    integrity_checked: bool | None = Field(default=None, description="The segment was read.")
    integrity_ok: bool | None = Field(default=None, description="Null: not known.")
    integrity_error: str | None = Field(default=None, description="The first fault found.")
    integrity_avg_frame_rate: str | None = Field(default=None, description='As in "30/1".')


class CameraIntegrity(Answer):
    """What was found in one camera's segments."""

    segment_found: bool = Field(description="There is footage at all.")
    segment_path: str | None = Field(default=None, description="The newest segment.")
    segment_size: int | None = Field(default=None, description="Bytes, if found.")
    integrity_checked: bool = Field(description="It was read.")
    integrity_ok: bool | None = Field(description="Null: not known.")
    integrity_error: str | None = Field(description="The first fault found.")
    probe: dict[str, Any] | None = Field(default=None, description="What ffprobe said of it.")


class Integrity(Answer):
    """Whether the footage is good, over every segment of the match."""

    checked: bool = Field(description="Every camera's segments were read.")
    all_ok: bool | None = Field(description="Null: not known for every camera.")
    reason: str | None = Field(description="segments_dir_missing or no_segments_found.")
    cameras: dict[str, CameraIntegrity] = Field(description="By `camera_N`.")


_STOPPED_CAMERA: dict[str, Any] = {
    "success": True,
    "eos_received": True,
    "timed_out": False,
    "error": None,
    "finalized": True,
}


class StopReport(Answer):
    """How a stop went; `success` means that every camera's footage is complete and good."""

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

    success: bool = Field(description="Finalised, and no fault was found.")
    message: str = Field(description="What happened, for people.")
    protected: bool | None = Field(
        default=None, description="True: too young to be stopped without `force`."
    )
    transport_success: bool | None = Field(default=None, description="Every camera was reached.")
    graceful_stop: bool | None = Field(default=None, description="Every file is complete.")
    camera_stop_results: dict[str, CameraStop] | None = Field(
        default=None, description="By `camera_N`."
    )
    integrity: Integrity | None = Field(default=None, description="Missing where none was stopped.")
    match_id: str | None = Field(default=None, description="The match that was stopped.")
    duration: float | None = Field(default=None, description="Seconds it was recorded.")
    gaps: list[dict[str, Any]] | None = Field(
        default=None, description="Footage that is missing: camera, from, to, reason."
    )


class CameraDiagnostics(Answer):
    """One camera of the running recording, as recording-health sees it."""

    pipeline_present: bool = Field(description="A worker holds this camera.")
    pipeline_state: str = Field(description="Its state; `missing` if there is none.")
    latest_segment: str | None = Field(default=None, description="The file being written.")
    latest_segment_size: int | None = Field(default=None, description="Bytes.")
    latest_segment_age_seconds: float | None = Field(default=None, description="Since its start.")
    integrity_probe: dict[str, Any] | None = Field(
        default=None, description="`checked`, `ok` and `error` of a probe of it."
    )


class RecordingProblem(Answer):
    """One thing that is wrong with the running recording."""

    kind: Annotated[str, open_enum(get_args(IssueKind))] = Field(
        description="What it is about; go by this, because sentences may change."
    )
    camera: str | None = Field(description="`camera_N`; null where it is about the whole match.")
    message: str = Field(description="The sentence, as in `issues` or `message`.")


class RecordingHealth(Answer):
    """Whether the running recording is well."""

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

    healthy: bool = Field(description="No issue is known.")
    message: str = Field(description="The issues in one line, or that there are none.")
    issues: list[str] | None = Field(default=None, description="Only when unhealthy.")
    problems: list[RecordingProblem] | None = Field(
        default=None, description="All that is wrong, for programs; only when unhealthy."
    )
    recovery_attempts: dict[str, int] | None = Field(default=None, description="By `camera_N`.")
    camera_diagnostics: dict[str, CameraDiagnostics] | None = Field(
        default=None, description="By `camera_N`; always there while something is recorded."
    )
