"""Models of the state of the machine, the cameras and the preview."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from touchline.core.answers import example, open_enum
from touchline.web.models.base import Answer
from touchline.web.models.capture.recording import (
    CAMERA_STATES,
    IDLE_EXAMPLE,
    CameraState,
    RecordingStatus,
)

PreviewState = Annotated[str, open_enum(("stopped", *CAMERA_STATES))]


class HostFigures(Answer):
    """Load, memory and disk of the machine."""

    cpu_percent: float = Field(
        description="CPU load over all cores in percent, over the last sample."
    )
    memory_percent: float = Field(description="Memory in use, in percent.")
    memory_available_gb: float = Field(description="Memory available to programs, in GiB.")
    disk_free_gb: float = Field(description="Free space on the recordings disk, in GiB.")
    disk_percent: float = Field(description="Recordings disk in use, in percent.")


class HostHealth(Answer):
    """Health of the machine. The HTTP status is always 200; `status` has the result."""

    model_config = example(
        {
            "status": "healthy",
            "system": {
                "cpu_percent": 7.6,
                "memory_percent": 38.5,
                "memory_available_gb": 4.58,
                "disk_free_gb": 135.61,
                "disk_percent": 38.8,
            },
        }
    )

    status: Literal["healthy", "error"] = Field(
        description="`error` if the machine cannot be read."
    )
    system: HostFigures | None = Field(default=None, description="Metrics; missing on an error.")
    detail: str | None = Field(default=None, description="Error message; only on an error.")


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


class Transcode(Answer):
    """A transcode of a camera, shared by all viewers."""

    state: Literal["idle", "starting", "running", "failed"] = Field(
        description="State of the transcode: `idle` without viewers. While it is `failed`,"
        " viewers receive fewer frames."
    )
    reason: str = Field(description="Reason for transcoding.")
    error: str | None = Field(default=None, description="Reason for the failure.")
    viewers: int = Field(description="Number of WebRTC viewers.")
    over_hls: bool = Field(
        description="Whether HLS uses the transcode too, because players cannot start at the"
        " camera's keyframes."
    )


class PreviewCamera(Answer):
    """Preview of one camera."""

    active: bool = Field(description="Whether viewers receive frames.")
    state: PreviewState = Field(description="Current state.")
    uptime: float = Field(description="Seconds since the preview was started.")
    hls_url: str = Field(description="URL of the HLS playlist.")
    transport: Literal["hls", "webrtc"] = Field(description="Transport of the preview.")
    stream_kind: str = Field(description="Name of the stream in WebRTC signalling.")
    webrtc: dict[str, Any] | None = Field(
        default=None, description="Keys: `enabled`, `stream_kind`."
    )
    transcode: Transcode | None = Field(
        default=None,
        description="Transcode of a camera with B-frames; null if viewers receive the original"
        " stream.",
    )


class PreviewStatus(Answer):
    """State of the preview."""

    model_config = example(PREVIEW_EXAMPLE)

    preview_active: bool = Field(description="Whether any camera is previewed.")
    cameras: dict[str, PreviewCamera] = Field(description="Entries by `camera_N`.")
    transport_mode: Literal["hls", "webrtc", "dual"] = Field(description="Configured transport.")
    webrtc_supported: bool = Field(description="Whether WebRTC is available.")
    ice_servers: list[dict[str, Any]] = Field(
        description="ICE servers for the viewer's peer connection."
    )
    webrtc_streams: list[dict[str, Any]] = Field(default=[], description="Open WebRTC sessions.")
    relay: dict[str, Any] | None = Field(
        default=None, description="TURN relay; null if none is used."
    )
    preview_while_recording: bool | None = Field(
        default=None, description="Return whether viewers may watch while a match is recorded."
    )
    rtsp_port: int | None = Field(
        default=None, description="Port of the RTSP server; null if RTSP is not served."
    )


class Status(Answer):
    """State of the recording and the preview."""

    model_config = example({"recording": IDLE_EXAMPLE, "preview": PREVIEW_EXAMPLE})

    recording: RecordingStatus
    preview: PreviewStatus


class PipelineState(Answer):
    """Use of the cameras."""

    model_config = example(
        {
            "mode": "idle",
            "holder": None,
            "lock_time": None,
            "can_preview": True,
            "can_record": True,
        }
    )

    mode: Literal["idle", "preview", "recording", "calibration"] = Field(
        description="Current use of the cameras."
    )
    holder: str | None = Field(description="Holder of the cameras; null when idle.")
    lock_time: str | None = Field(description="Local ISO time without zone; null when idle.")
    can_preview: bool = Field(description="Whether a preview could be started now.")
    can_record: bool = Field(
        description="Whether a recording could be started without ending another use."
    )


class CameraStatus(Answer):
    """A camera and the state reported by its worker. Some fields depend on the kind of camera."""

    id: int = Field(description="Camera number: the N in `camera_N` and in `camN` of file names.")
    name: str = Field(description="Display name.")
    kind: str = Field(description="Kind of camera: test, file, rtsp, v4l2, libcamera or argus.")
    state: CameraState = Field(description="Current state.")
    recovering: bool = Field(
        description="True from the loss of the camera until its next frame, in every `state`."
    )
    fps: float = Field(description="Current frame rate.")
    bitrate_bps: int = Field(description="Current bit rate.")
    last_frame_age_s: float | None = Field(
        description="Seconds since the last frame; null before the first one."
    )
    dropped: dict[str, int] = Field(
        description="Dropped frames, by the place where they were dropped."
    )
    last_error: str | None = Field(description="Last error; null without one.")


class CamerasStatus(Answer):
    """All configured cameras."""

    model_config = example(
        {
            "cameras": [
                {
                    "id": 0,
                    "name": "LEFT",
                    "kind": "rtsp",
                    "state": "running",
                    "recovering": False,
                    "fps": 30.0,
                    "bitrate_bps": 12000000,
                    "last_frame_age_s": 0.031,
                    "dropped": {"source": 0, "queue": 0},
                    "last_error": None,
                }
            ]
        }
    )

    cameras: list[CameraStatus]
    disk_minutes_left: float | None = Field(
        default=None, description="Estimated minutes of recording until the disk is full, if known."
    )
