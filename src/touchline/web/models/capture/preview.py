"""Models of requests about the preview."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import CameraNumber, Truth
from touchline.web.models.unknownfields import Tolerant


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


class PreviewWhileRecording(BaseModel):
    """Live view during a recording."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: Truth = Field(description="Live view during a recording.")
