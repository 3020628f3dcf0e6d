"""The state of the service, the machine, the cameras and the preview."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from touchline.web.models.base import Answer, example, open_enum
from touchline.web.models.capture.recording import (
    CAMERA_STATES,
    IDLE_EXAMPLE,
    CameraState,
    RecordingStatus,
)

PreviewState = Annotated[str, open_enum(("stopped", *CAMERA_STATES))]


class ServiceInfo(Answer):
    """Who answers here."""

    model_config = example(
        {
            "service": "touchline",
            "version": "0.1.0",
            "status": "running",
            "features": ["recording_protection", "crash_safe_segments"],
        }
    )

    service: str = Field(description="The name of the program.")
    version: str = Field(description="Its version.")
    status: str = Field(description="`running` whenever it answers.")
    features: list[str] = Field(description="What this server can do, for clients that ask.")


class HostFigures(Answer):
    """The machine in five numbers."""

    cpu_percent: float = Field(description="Of all cores, over the last sample.")
    memory_percent: float = Field(description="Of the memory, in use.")
    memory_available_gb: float = Field(description="GiB that programs may still take.")
    disk_free_gb: float = Field(description="GiB free where the recordings are.")
    disk_percent: float = Field(description="Of that disk, in use.")


class HostHealth(Answer):
    """The health of the machine; always with status 200, `status` says whether it is well."""

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
    system: HostFigures | None = Field(default=None, description="Missing on an error.")
    detail: str | None = Field(default=None, description="What went wrong; only on an error.")


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
    """A camera's pictures made again for viewers, who share it."""

    state: Literal["idle", "starting", "running", "failed"] = Field(
        description="`idle` without a viewer; while it has failed, viewers get fewer pictures."
    )
    reason: str = Field(description="Why it is needed.")
    error: str | None = Field(default=None, description="Why it has failed.")
    viewers: int = Field(description="Viewers over WebRTC now.")
    over_hls: bool = Field(description="HLS shows it, too: players cannot begin at the camera's.")


class PreviewCamera(Answer):
    """The preview of one camera."""

    active: bool = Field(description="Viewers get pictures.")
    state: PreviewState = Field(description="What it is doing.")
    uptime: float = Field(description="Seconds since it started.")
    hls_url: str = Field(description="Its HLS playlist.")
    transport: Literal["hls", "webrtc"] = Field(description="What it is sent by.")
    stream_kind: str = Field(description="Its name in WebRTC signalling.")
    webrtc: dict[str, Any] | None = Field(
        default=None, description="`enabled`, and `stream_kind` again."
    )
    transcode: Transcode | None = Field(
        default=None,
        description="How viewers get a camera with B-frames; null: as it comes.",
    )


class PreviewStatus(Answer):
    """What viewers can see now."""

    model_config = example(PREVIEW_EXAMPLE)

    preview_active: bool = Field(description="Any camera is previewed.")
    cameras: dict[str, PreviewCamera] = Field(description="By `camera_N`.")
    transport_mode: Literal["hls", "webrtc", "dual"] = Field(description="What is configured.")
    webrtc_supported: bool = Field(description="Whether WebRTC can be had at all.")
    ice_servers: list[dict[str, Any]] = Field(description="For the viewer's peer connection.")
    webrtc_streams: list[dict[str, Any]] = Field(default=[], description="Sessions now open.")
    relay: dict[str, Any] | None = Field(default=None, description="Null: no relay is used.")
    preview_while_recording: bool | None = Field(
        default=None, description="Whether a recording may be watched."
    )
    rtsp_port: int | None = Field(default=None, description="Null: RTSP is not served.")


class Status(Answer):
    """The recording and the preview, from memory."""

    model_config = example({"recording": IDLE_EXAMPLE, "preview": PREVIEW_EXAMPLE})

    recording: RecordingStatus
    preview: PreviewStatus


class PipelineState(Answer):
    """Who holds the cameras."""

    model_config = example(
        {
            "mode": "idle",
            "holder": None,
            "lock_time": None,
            "can_preview": True,
            "can_record": True,
        }
    )

    mode: Literal["idle", "preview", "recording", "calibration"] = Field(description="The use.")
    holder: str | None = Field(description="Who asked for it; null when idle.")
    lock_time: str | None = Field(description="Local ISO time without zone; null when idle.")
    can_preview: bool = Field(description="A preview would be allowed now.")
    can_record: bool = Field(description="Nothing else would have to end for a recording.")


class CameraStatus(Answer):
    """One camera and what its worker reports; which figures it has depends on its kind."""

    id: int = Field(description="The N of `camera_N` and of `camN` in file names.")
    name: str = Field(description="What people call it.")
    kind: str = Field(description="test, file, rtsp, v4l2, libcamera or argus.")
    state: CameraState = Field(description="What it is doing.")
    recovering: bool = Field(
        description="It was lost, and has delivered nothing since, whatever the attempt's state."
    )
    fps: float = Field(description="Frames a second, lately.")
    bitrate_bps: int = Field(description="Bits a second, lately.")
    last_frame_age_s: float | None = Field(description="Null before the first frame.")
    dropped: dict[str, int] = Field(description="Frames lost so far, by where they were lost.")
    last_error: str | None = Field(description="Null if there was none.")


class CamerasStatus(Answer):
    """Every configured camera."""

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
        default=None, description="Minutes of recording that the disk lasts, as far as is known."
    )
