"""Live pictures: starting, stopping and restarting what viewers see."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import Answer, CameraNumber, Truth, example
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
    """Which camera to show, and how."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"camera_id": None, "transport": "webrtc"}]}
    )

    camera_id: CameraNumber | None = Field(default=None, description="Null: all cameras.")
    transport: str | None = Field(
        default=None, description="`hls` or `webrtc`; anything else: what the server prefers."
    )


class PreviewStarted(Answer):
    """Whether cameras are shown now."""

    model_config = example(STARTED)

    success: bool
    message: str = Field(description="A sentence for people.")
    transport: str | None = Field(default=None, description="What they are sent by.")
    cameras_started: list[int] | None = Field(default=None, description="Shown, with pictures.")
    cameras_failed: list[int] | None = Field(default=None, description="Not shown.")
    failed_cameras: list[int] | None = Field(default=None, description="When none is shown.")
    errors: dict[str, str] | None = Field(
        default=None, description="Why a camera is not shown, by `camera_N`."
    )
    warnings: list[str] | None = Field(
        default=None, description="Fields of the request that are not known and were ignored."
    )


class PreviewStopped(Answer):
    """Whether cameras are shown no more."""

    model_config = example(STOPPED)

    success: bool
    message: str = Field(description="A sentence for people.")
    cameras_stopped: list[int] | None = Field(default=None, description="Shown no more.")
    cameras_failed: list[int] | None = Field(default=None, description="Were never shown.")
    failed_cameras: list[int] | None = Field(default=None, description="When none was stopped.")


class PreviewRestarted(Answer):
    """What the stop and the start came to."""

    model_config = example(
        {
            "success": True,
            "message": f"Restart: {STOPPED['message']} -> {STARTED['message']}",
            "stop_result": STOPPED,
            "start_result": STARTED,
        }
    )

    success: bool = Field(description="The start's.")
    message: str = Field(description="Both messages.")
    stop_result: PreviewStopped
    start_result: PreviewStarted


class PreviewWhileRecording(BaseModel):
    """Whether viewers may watch while a match is recorded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: Truth = Field(description="True: they watch the recording's own stream.")
