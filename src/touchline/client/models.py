"""The shapes of what the server answers. Objects may have more keys than stand here."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Mode = Literal["idle", "preview", "recording", "calibration"]


class CameraUptime(TypedDict):
    """One camera of the running recording."""

    state: str
    uptime: float


class RecordingStatus(TypedDict):
    """What is being recorded; `cameras` is empty while nothing is."""

    recording: bool
    match_id: str | None
    duration: float
    cameras: dict[str, CameraUptime]
    degraded: bool
    degraded_cameras: dict[str, str]
    camera_recovery: dict[str, dict[str, Any]]
    overload_guard: dict[str, Any]


class CameraPreview(TypedDict):
    """How one camera is shown."""

    active: bool
    state: str
    uptime: float
    hls_url: str
    transport: Literal["hls", "webrtc"]
    stream_kind: str


class PreviewStatus(TypedDict):
    """What is shown live, and to whom."""

    preview_active: bool
    cameras: dict[str, CameraPreview]
    transport_mode: str
    webrtc_supported: bool
    ice_servers: list[dict[str, Any]]
    webrtc_streams: list[dict[str, Any]]


class Status(TypedDict):
    """Recording and preview."""

    recording: RecordingStatus
    preview: PreviewStatus


class PipelineState(TypedDict):
    """Who holds the cameras, and what would be allowed now."""

    mode: Mode
    holder: str | None
    lock_time: str | None
    can_preview: bool
    can_record: bool


class Report(TypedDict):
    """Whether an order was carried out, and the reason in words."""

    success: bool
    message: str


class StartReport(Report, total=False):
    """How a start went; the further keys are there where it was tried."""

    match_id: str
    cameras_started: list[int]
    cameras_failed: list[int]
    require_all_cameras: bool


class StopReport(Report, total=False):
    """How a stop went, camera by camera; the further keys are there where it was tried."""

    protected: bool
    transport_success: bool
    graceful_stop: bool
    camera_stop_results: dict[str, dict[str, Any]]
    integrity: dict[str, Any]
