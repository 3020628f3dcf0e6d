"""Types of the server's responses. Objects may have further keys."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Mode = Literal["idle", "preview", "recording", "calibration"]


class CameraUptime(TypedDict):
    """A camera of the running recording."""

    state: str
    uptime: float


class RecordingStatus(TypedDict):
    """State of the recording; `cameras` is empty without one."""

    recording: bool
    match_id: str | None
    duration: float
    cameras: dict[str, CameraUptime]
    degraded: bool
    degraded_cameras: dict[str, str]
    camera_recovery: dict[str, dict[str, Any]]
    overload_guard: dict[str, Any]


class CameraPreview(TypedDict):
    """Preview of one camera."""

    active: bool
    state: str
    uptime: float
    hls_url: str
    transport: Literal["hls", "webrtc"]
    stream_kind: str


class PreviewStatus(TypedDict):
    """State of the live preview and its viewers."""

    preview_active: bool
    cameras: dict[str, CameraPreview]
    transport_mode: str
    webrtc_supported: bool
    ice_servers: list[dict[str, Any]]
    webrtc_streams: list[dict[str, Any]]


class Status(TypedDict):
    """State of recording and preview."""

    recording: RecordingStatus
    preview: PreviewStatus


class PipelineState(TypedDict):
    """Use of the cameras, and the operations currently allowed."""

    mode: Mode
    holder: str | None
    lock_time: str | None
    can_preview: bool
    can_record: bool


class Report(TypedDict):
    """Result of a request, with the reason as text."""

    success: bool
    message: str


class StartReport(Report, total=False):
    """Result of a start; further keys are present if it was attempted."""

    code: str
    match_id: str
    details_saved: bool
    cameras_started: list[int]
    cameras_failed: list[int]
    require_all_cameras: bool


class StopReport(Report, total=False):
    """Result of a stop by camera; further keys are present if it was attempted."""

    code: str
    protected: bool
    transport_success: bool
    graceful_stop: bool
    camera_stop_results: dict[str, dict[str, Any]]
    integrity: dict[str, Any]
