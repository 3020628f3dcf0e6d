"""Answers about recording: state, start and stop."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture.cameras.answers import CameraState
from touchline.capture.library.verification.answers import Integrity
from touchline.capture.recording.health.answers import OverloadGuard
from touchline.capture.recording.health.soundness import MatchPhase
from touchline.core.answers import ANSWER, OPEN_OBJECT, Undocumented, example, open_enum
from touchline.ipc.wire import GapKind


@with_config(ANSWER)
class CameraRecovery(TypedDict):
    """Recovery of a camera during this recording."""

    attempts: int
    """Number of recovery attempts of this camera."""
    recovering: bool
    """Whether a recovery attempt is in progress."""
    failed_permanently: bool
    """Whether the configured limit of attempts was reached."""
    last_error: str | None
    """Last error; null after a successful attempt."""
    last_recovery_ts: float | None
    """Time of the last attempt, in Unix seconds."""


@with_config(ANSWER)
class CameraUptime(TypedDict):
    """A camera of the running recording."""

    state: CameraState
    """State of the camera."""
    uptime: float
    """Seconds since the last start."""
    dropped: NotRequired[dict[str, int] | None]
    """Dropped frames of this match, by the place where they were dropped."""
    gaps: NotRequired[int | None]
    """Number of gaps: intervals of this match without footage of the camera."""
    # Diagnostic fields, which the contract does not name.
    fps: NotRequired[Undocumented[float]]
    bitrate_bps: NotRequired[Undocumented[int]]
    frames: NotRequired[Undocumented[int]]
    last_frame_age_s: NotRequired[Undocumented[float | None]]
    segment: NotRequired[Undocumented[str | None]]
    segments: NotRequired[Undocumented[int]]
    transcoded: NotRequired[Undocumented[bool]]
    disk: NotRequired[Undocumented[str]]
    disk_error: NotRequired[Undocumented[str | None]]
    backlog_bytes: NotRequired[Undocumented[int]]
    sync_ms_max: NotRequired[Undocumented[float]]


@with_config(ANSWER)
class IdleRecording(TypedDict):
    """State without a recording."""

    recording: Literal[False]
    """Always false."""
    match_id: None
    """Always null."""
    duration: float
    """Always 0.0."""
    cameras: dict[str, CameraUptime]
    """Always empty."""
    degraded: bool
    """Always false."""
    degraded_cameras: dict[str, str]
    """Always empty."""
    camera_recovery: dict[str, CameraRecovery]
    """Always empty."""
    overload_guard: OverloadGuard


@with_config(ANSWER)
class RecordingLoss(TypedDict):
    """A stretch of the recording that a camera did not film."""

    camera: str
    """Camera as `camera_N`."""
    name: str
    """Display name of the camera."""
    from_s: float
    """Start in seconds since the start of the recording, by the clock of the match."""
    seconds: float
    """Length in seconds; so far if it lasts."""
    reason: str
    """Human-readable reason. Programs use `kind`, because texts may change."""
    kind: Annotated[GapKind, open_enum(get_args(GapKind))]
    """`camera`: it was away or sent nothing. `frames`: it went on without sending them. `format`:
    its stream changed. `disk`: it took nothing. `writer`: the footage could not be written.
    `worker`: the process of the camera was missing. `interruption`: the machine or the server went
    down."""
    ended: bool
    """Whether it is over."""
    length_known: NotRequired[bool]
    """False if the machine was off meanwhile and its clock is not trusted."""


class DiskTrouble(TypedDict):
    """First problem of the recordings disk, and its remedy; null if there is none."""

    state: str
    error: str | None
    what_to_do: str | None


@with_config(ANSWER)
class ActiveRecording(TypedDict):
    """State during a recording."""

    recording: Literal[True]
    """Always true."""
    match_id: str
    """Match id, which is also the name of its directory."""
    duration: float
    """Seconds since the start of the recording."""
    cameras: dict[str, CameraUptime]
    """Entries by `camera_N`."""
    protected: bool
    """Whether the recording is within the protection period and stops only with `force`."""
    require_all_cameras: bool
    """Whether a missing camera prevents the start."""
    degraded: bool
    """Whether `degraded_cameras` has entries."""
    degraded_cameras: dict[str, str]
    """Reasons, by `camera_N` or other cause."""
    camera_recovery: dict[str, CameraRecovery]
    """Entries by `camera_N`."""
    losses: NotRequired[list[RecordingLoss]]
    """Losses in order: all that last, and the newest of those that are over, 200 together. The
    `gaps` of the cameras count all."""
    overload_guard: OverloadGuard
    disk_minutes_left: NotRequired[float | None]
    """Estimated minutes of recording until the disk is full, if known."""
    # Diagnostic fields, which the contract does not name.
    phase: NotRequired[Undocumented[MatchPhase]]
    interruptions: NotRequired[Undocumented[int]]
    disk: NotRequired[Undocumented[DiskTrouble]]


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


@with_config(
    example(
        {
            "success": True,
            "message": "Recording started for match: match_20260211_001",
            "match_id": "match_20260211_001",
            "cameras_started": [0, 1],
            "cameras_failed": [],
            "require_all_cameras": True,
        }
    )
)
class StartReport(TypedDict):
    """Result of a start. If `success` is false, the start was refused and nothing changed."""

    success: bool
    """Whether footage of every required camera is on the disk."""
    message: str
    """Human-readable result."""
    code: NotRequired[str | None]
    """Reason of a refusal for programs, such as `already_recording`; only without success."""
    match_id: NotRequired[str | None]
    """Match id; only on success."""
    cameras_started: NotRequired[list[int] | None]
    """Ids of the cameras that record."""
    cameras_failed: NotRequired[list[int] | None]
    """Ids of the cameras that do not record."""
    failed_cameras: NotRequired[list[int] | None]
    """Like `cameras_failed`, if no camera started and not all were required."""
    require_all_cameras: NotRequired[bool | None]
    """Value of `require_all_cameras` that applied."""
    errors: NotRequired[dict[str, str] | None]
    """Reasons by `camera_N` for cameras that do not record."""
    warnings: NotRequired[list[str] | None]
    """Unknown fields of the request that were ignored, and why details were not saved."""
    details_saved: NotRequired[bool | None]
    """False if the match is recorded without the details of the request."""
    disk_minutes_left: NotRequired[float | None]
    """Estimated minutes until the disk is full at the current bit rate; null if not known yet."""


@with_config(ANSWER)
class CameraStop(TypedDict):
    """Result of stopping one camera, and the state of its last segment."""

    success: bool
    """Whether the stop reached the camera."""
    eos_received: bool
    """Whether the end of the stream was written."""
    timed_out: bool
    """Whether the camera failed to stop in time."""
    error: str | None
    """Error message; null without an error."""
    finalized: bool
    """Whether the file is complete."""
    segment_path: NotRequired[str | None]
    """Newest segment."""
    integrity_checked: NotRequired[bool | None]
    """Whether the segment was read."""
    integrity_ok: NotRequired[bool | None]
    """Whether the segment is intact; null if unknown."""
    integrity_error: NotRequired[str | None]
    """First fault found."""
    integrity_avg_frame_rate: NotRequired[str | None]
    """Average frame rate, such as "30/1"."""


class RecordedGap(TypedDict):
    """Interval without footage of a camera."""

    camera: str
    from_unix_ns: int
    to_unix_ns: int
    reason: str
    length_known: NotRequired[bool]
    seconds: float


@with_config(
    example(
        {
            "success": True,
            "message": "Recording stopped successfully",
            "transport_success": True,
            "graceful_stop": True,
            "camera_stop_results": {
                "camera_0": {
                    "success": True,
                    "eos_received": True,
                    "timed_out": False,
                    "error": None,
                    "finalized": True,
                }
            },
            "integrity": {"checked": True, "all_ok": True, "reason": None, "cameras": {}},
        }
    )
)
class StopReport(TypedDict):
    """Result of a stop. `success` means that the footage of every camera is complete and intact."""

    success: bool
    """Whether all files were finalised and no fault was found."""
    message: str
    """Human-readable result."""
    code: NotRequired[str | None]
    """Reason for programs why the recording was not stopped, such as `not_recording`."""
    protected: NotRequired[bool | None]
    """True if the stop was refused because of the protection period."""
    transport_success: NotRequired[bool | None]
    """Whether every camera was reached."""
    graceful_stop: NotRequired[bool | None]
    """Whether every file is complete."""
    camera_stop_results: NotRequired[dict[str, CameraStop] | None]
    """Entries by `camera_N`."""
    integrity: NotRequired[Integrity | None]
    """Result of the integrity check; missing if no camera was stopped."""
    match_id: NotRequired[str | None]
    """Match that was stopped."""
    duration: NotRequired[float | None]
    """Recorded duration in seconds."""
    gaps: NotRequired[list[Annotated[RecordedGap, OPEN_OBJECT]] | None]
    """Gaps in the footage: `camera`, `from_unix_ns`, `to_unix_ns`, `seconds` and `reason`."""
