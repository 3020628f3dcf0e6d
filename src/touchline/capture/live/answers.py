"""Answers about live pictures: the preview of the cameras and of the panorama."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.capture.cameras.answers import CAMERA_STATES
from touchline.capture.settings.answers import IceServer
from touchline.capture.settings.preview import Transport
from touchline.core.answers import ANSWER, OPEN_OBJECT, example, open_enum

PreviewState = Annotated[str, open_enum(("stopped", *CAMERA_STATES))]

PREVIEW_EXAMPLE: dict[str, Any] = {
    "preview_active": False,
    "cameras": {
        "camera_0": {
            "active": False,
            "state": "stopped",
            "uptime": 0.0,
            "hls_url": "/hls/cam0.m3u8",
            "transport": "hls",
            "stream_kind": "main_cam0",
            "webrtc": {"enabled": False, "stream_kind": "main_cam0"},
        }
    },
    "transport_mode": "hls",
    "webrtc_supported": False,
    "ice_servers": [],
    "webrtc_streams": [],
    "relay": None,
}

_STARTED: dict[str, Any] = {
    "success": True,
    "message": "Preview started for cameras: [0, 1]",
    "transport": "hls",
    "cameras_started": [0, 1],
    "cameras_failed": [],
}
_STOPPED: dict[str, Any] = {
    "success": True,
    "message": "Preview stopped for cameras: [0, 1]",
    "cameras_stopped": [0, 1],
    "cameras_failed": [],
}


@with_config(ANSWER)
class Transcode(TypedDict):
    """A transcode of a camera, shared by all viewers."""

    state: Literal["idle", "starting", "running", "failed"]
    """State: `idle` without viewers; while it is `failed`, viewers receive fewer frames."""
    reason: str
    """Reason for transcoding."""
    error: NotRequired[str | None]
    """Reason for the failure."""
    viewers: int
    """Number of WebRTC viewers."""
    over_hls: bool
    """Whether HLS uses it too, because players cannot start at the camera's keyframes."""


class WebRtcPreview(TypedDict):
    """Preview of one camera over WebRTC."""

    enabled: bool
    stream_kind: str


@with_config(ANSWER)
class PreviewCamera(TypedDict):
    """Preview of one camera."""

    active: bool
    """Whether viewers receive frames."""
    state: PreviewState
    """Current state."""
    uptime: float
    """Seconds since the preview was started."""
    hls_url: str
    """URL of the HLS playlist."""
    transport: Transport
    """Transport of the preview."""
    stream_kind: str
    """Name of the stream in WebRTC signalling."""
    webrtc: NotRequired[Annotated[WebRtcPreview, OPEN_OBJECT] | None]
    """Keys: `enabled`, `stream_kind`."""
    transcode: NotRequired[Transcode | None]
    """Transcode of a camera with B-frames; null if viewers receive the original stream."""


class WebRtcStream(TypedDict):
    """WebRTC session of one viewer."""

    session_id: str
    stream_kind: str
    camera_id: int | None
    connection_id: str


@with_config(example(PREVIEW_EXAMPLE))
class PreviewStatus(TypedDict):
    """State of the preview."""

    preview_active: bool
    """Whether any camera is previewed."""
    cameras: dict[str, PreviewCamera]
    """Entries by `camera_N`."""
    transport_mode: Literal["hls", "webrtc", "dual"]
    """Configured transport."""
    webrtc_supported: bool
    """Whether WebRTC is available."""
    ice_servers: list[Annotated[IceServer, OPEN_OBJECT]]
    """ICE servers for the viewer's peer connection."""
    webrtc_streams: NotRequired[
        Annotated[
            list[Annotated[WebRtcStream, OPEN_OBJECT]], Field(json_schema_extra={"default": []})
        ]
    ]
    """Open WebRTC sessions."""
    relay: NotRequired[dict[str, Any] | None]
    """Always null: a TURN relay is one of the `ice_servers`."""
    preview_while_recording: NotRequired[bool | None]
    """Whether viewers may watch while a match is recorded."""
    rtsp_port: NotRequired[int | None]
    """Port of the RTSP server; null if RTSP is not served."""


@with_config(example(_STARTED))
class PreviewStarted(TypedDict):
    """Result of starting a preview."""

    success: bool
    """Whether any camera is shown."""
    message: str
    """Human-readable message."""
    transport: NotRequired[str | None]
    """Transport."""
    cameras_started: NotRequired[list[int] | None]
    """Cameras that are shown."""
    cameras_failed: NotRequired[list[int] | None]
    """Cameras that could not be shown."""
    failed_cameras: NotRequired[list[int] | None]
    """Like `cameras_failed`, if no camera is shown."""
    errors: NotRequired[dict[str, str] | None]
    """Reasons by `camera_N` for cameras that are not shown."""
    warnings: NotRequired[list[str] | None]
    """Unknown fields of the request that were ignored."""


@with_config(example(_STOPPED))
class PreviewStopped(TypedDict):
    """Result of stopping a preview."""

    success: bool
    """Whether any camera was stopped."""
    message: str
    """Human-readable message."""
    cameras_stopped: NotRequired[list[int] | None]
    """Cameras that are no longer shown."""
    cameras_failed: NotRequired[list[int] | None]
    """Cameras that were not shown before."""
    failed_cameras: NotRequired[list[int] | None]
    """Like `cameras_failed`, if no camera was stopped."""


@with_config(
    example(
        {
            "success": True,
            "message": f"Restart: {_STOPPED['message']} -> {_STARTED['message']}",
            "stop_result": _STOPPED,
            "start_result": _STARTED,
        }
    )
)
class PreviewRestarted(TypedDict):
    """Result of restarting a preview."""

    success: bool
    """Whether any camera is shown."""
    message: str
    """Messages of the stop and the start."""
    stop_result: PreviewStopped
    """Result of the stop."""
    start_result: PreviewStarted
    """Result of the start."""


class PanoramaShown(TypedDict):
    """State of the panorama preview alone."""

    preview_active: Annotated[bool, Field(description="Whether the panorama is shown.")]
    transport: Annotated[str, Field(description="Transport of the preview.")]
    stream_kind: Annotated[str, Field(description="Name of the stream in WebRTC signalling.")]
    hls_url: Annotated[str, Field(description="URL of the HLS playlist.")]
    ice_servers: Annotated[
        list[Annotated[IceServer, OPEN_OBJECT]],
        Field(description="ICE servers for the viewer's peer connection."),
    ]
    uptime_seconds: Annotated[float, Field(description="Seconds since the preview was started.")]


@with_config(ANSWER)
class PanoramaPreviewStarted(TypedDict):
    """Addresses of the panorama preview."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
    transport: str
    """Transport of the preview."""
    stream_kind: str
    """Name of the stream in WebRTC signalling."""
    hls_url: str
    """URL of the HLS playlist."""
    ice_servers: list[Annotated[IceServer, OPEN_OBJECT]]
    """ICE servers for the viewer's peer connection."""
    resolution: str
    """Width and height in pixels, such as `1920x658`."""
    fps_target: int
    """Frames per second that the preview aims at."""


@with_config(ANSWER)
class Done(TypedDict):
    """Confirmation."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
