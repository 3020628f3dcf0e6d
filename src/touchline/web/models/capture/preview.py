"""Models of starting, stopping and restarting the preview."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from touchline.core.answers import example
from touchline.web.models.base import Answer, CameraNumber, Truth
from touchline.web.models.unknownfields import Tolerant

STARTED = {
    "success": True,
    "message": "Preview started for cameras: [0, 1]",
    "transport": "hls",
    "cameras_started": [0, 1],
    "cameras_failed": [],
}
STOPPED = {
    "success": True,
    "message": "Preview stopped for cameras: [0, 1]",
    "cameras_stopped": [0, 1],
    "cameras_failed": [],
}


class StartPreview(Tolerant):
    """Preview to start."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"camera_id": None, "transport": "webrtc"}]}
    )

    camera_id: CameraNumber | None = Field(
        default=None, description="Camera to show; null for all."
    )
    transport: str | None = Field(
        default=None,
        description="Transport: `hls` or `webrtc`; any other value selects the server's default.",
    )


class PreviewStarted(Answer):
    """Result of starting a preview."""

    model_config = example(STARTED)

    success: bool
    message: str = Field(description="Human-readable message.")
    transport: str | None = Field(default=None, description="Transport.")
    cameras_started: list[int] | None = Field(default=None, description="Cameras that are shown.")
    cameras_failed: list[int] | None = Field(
        default=None, description="Cameras that could not be shown."
    )
    failed_cameras: list[int] | None = Field(
        default=None, description="Error if no camera is shown."
    )
    errors: dict[str, str] | None = Field(
        default=None, description="Reasons by `camera_N` for cameras that are not shown."
    )
    warnings: list[str] | None = Field(
        default=None, description="Unknown fields of the request that were ignored."
    )


class PreviewStopped(Answer):
    """Result of stopping a preview."""

    model_config = example(STOPPED)

    success: bool
    message: str = Field(description="Human-readable message.")
    cameras_stopped: list[int] | None = Field(
        default=None, description="Cameras that are no longer shown."
    )
    cameras_failed: list[int] | None = Field(
        default=None, description="Cameras that were not shown before."
    )
    failed_cameras: list[int] | None = Field(
        default=None, description="Error if no camera was stopped."
    )


class PreviewRestarted(Answer):
    """Result of restarting a preview."""

    model_config = example(
        {
            "success": True,
            "message": f"Restart: {STOPPED['message']} -> {STARTED['message']}",
            "stop_result": STOPPED,
            "start_result": STARTED,
        }
    )

    success: bool = Field(description="Transport of the new preview.")
    message: str = Field(description="Messages of the stop and the start.")
    stop_result: PreviewStopped
    start_result: PreviewStarted


class PreviewWhileRecording(BaseModel):
    """Live view during a recording."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: Truth = Field(description="Live view during a recording.")
