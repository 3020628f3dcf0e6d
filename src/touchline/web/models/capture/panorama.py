"""Models of the panorama: calibration, preview and processing of a match."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import WHOLE, Answer, Number, Truth

Pixels = Annotated[Number, Field(ge=-16_384, le=16_384)]
"""A coordinate in a picture; it may lie slightly outside."""


Width = Annotated[int, Field(strict=True, ge=640, le=7680, multiple_of=2), WHOLE]
Height = Annotated[int, Field(strict=True, ge=180, le=4320, multiple_of=2), WHOLE]
Seam = Annotated[int, Field(strict=True, ge=2, le=800), WHOLE]
Few = Annotated[int, Field(strict=True, ge=1, le=60), WHOLE]


class PanoramaStatus(Answer):
    """State of the panorama preview and its calibration."""

    preview_active: bool
    transport: str
    stream_kind: str
    hls_url: str
    ice_servers: list[dict[str, Any]]
    uptime_seconds: float
    enabled: bool
    calibrated: bool
    quality_score: float | None = Field(
        default=None, description="Quality of the calibration, 0 to 1; null without one."
    )
    calibration_date: str | None = Field(default=None, description="Time of the calibration.")
    calibration_info: dict[str, Any] = Field(description="Calibration in use; empty without one.")
    performance: dict[str, Any] = Field(
        description="Frame rates, delays and dropped frames of the preview."
    )
    config: dict[str, Any]


class PanoramaConfig(Answer):
    """Settings of panoramas."""

    version: str
    enabled: bool
    calibration: dict[str, Any]
    output: dict[str, Any]
    performance: dict[str, Any]


class PanoramaConfigUpdate(BaseModel):
    """Fields to change; omitted fields keep their value."""

    model_config = ConfigDict(extra="ignore")

    enabled: Truth | None = None
    output_width: Width | None = Field(None, description="Pixels; must be even.")
    output_height: Height | None = Field(None, description="Pixels; must be even.")
    preview_fps_target: Few | None = Field(None, description="Frames per second.")
    use_vic_backend: Truth | None = Field(None, description="Stored, but only used on a Jetson.")
    projection: Literal["cylindrical", "plane"] | None = None
    blend_width: Seam | None = Field(None, description="Blend width at the seam in pixels.")
    quality: Literal["fast", "balanced", "high"] | None = Field(
        None, description="Encoder effort for a match's panorama."
    )
    automatic_size: Truth | None = Field(
        None, description="Whether to use the full resolution of the cameras."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        given = self.model_dump(exclude_none=True)
        if given.pop("automatic_size", None):
            given |= {"output_width": None, "output_height": None}
        return given


class PanoramaConfigUpdated(Answer):
    """Updated settings."""

    success: bool
    message: str
    config: PanoramaConfig


class PanoramaStats(Answer):
    """Statistics of the panorama preview."""

    preview_active: bool
    uptime_seconds: float
    current_fps: float
    frames_stitched: int
    avg_sync_drift_ms: float
    dropped_frames: int
    delay_ms: float
    sync_stats: dict[str, Any]
    stitch_stats: dict[str, Any]


class CalibrationStatus(Answer):
    """State of the calibration in use and of a calibration in progress."""

    calibrated: bool
    is_calibrating: bool
    frames_captured: int
    quality_score: float | None
    calibration_date: str | None
    version: int | None = Field(description="Calibration in use.")


class CalibrationStart(BaseModel):
    """Accepted for older clients and ignored: the target is always 15 pairs."""

    frame_count: Annotated[int, Field(strict=True, ge=1, le=1000), WHOLE] | None = None


class Done(Answer):
    """Confirmation."""

    success: bool
    message: str


class CalibrationCaptured(Answer):
    """A captured pair of pictures."""

    success: bool
    message: str
    frames_captured: int
    frames_needed: int
    frames_target: int
    ready_to_calculate: bool
    apart_ms: float = Field(description="Time difference between the two pictures.")
    sharp: bool = Field(
        description="False if there is little detail in the picture, for example because a lens"
        " is wet."
    )


class MatchedPair(Answer):
    """A matched point in both pictures, in pixels."""

    cam0: tuple[float, float]
    cam1: tuple[float, float]


class PointPair(BaseModel):
    """A matching point in both pictures, in pixels of the captured size."""

    cam0: tuple[Pixels, Pixels]
    cam1: tuple[Pixels, Pixels]


class CalibrationComplete(BaseModel):
    """Points marked by hand, in addition to those found automatically."""

    points: list[PointPair] = Field(default_factory=list, max_length=200)


class CalibrationFromMatch(BaseModel):
    """Calibration from a recording."""

    match_id: str = Field(min_length=1, max_length=128)
    instants: Few = Field(12, description="Number of picture pairs to take from the recording.")
    points: list[PointPair] = Field(default_factory=list, max_length=200)


class CalibrationCompleted(Answer):
    """The new calibration, which is now in use."""

    success: bool
    message: str
    calibration_date: str
    quality_score: float
    quality: str = Field(description="Rating: excellent, good or poor.")
    inlier_ratio: float
    reprojection_error: float = Field(
        description="Reprojection error in pixels of a picture 1,920 wide."
    )
    coverage: float
    overlap: float
    num_frames: int
    num_matches: int
    homography_matrix: list[list[float]]
    version: int


class CalibrationEntry(Answer):
    """A stored calibration."""

    version: int
    created_at: datetime
    source: str = Field(description="Source: `cameras`, or the match the pictures were taken from.")
    active: bool
    pairs: int
    quality: dict[str, Any]


class CalibrationList(Answer):
    """Stored calibrations, newest first."""

    calibrations: list[CalibrationEntry]
    active_version: int | None


class CalibrationDetails(CalibrationEntry):
    """Details of one calibration."""

    homography_matrix: list[list[float]]
    points: list[MatchedPair] = Field(description="Matched points for drawing on both pictures.")
    manual: list[MatchedPair]
    pair: dict[str, Any] = Field(
        description="Lens parameters of both cameras and rotation of camera 1."
    )


class PanoramaPreviewStart(BaseModel):
    """Options for showing the panorama."""

    transport: str | None = Field(None, max_length=32, description="Transport: `hls` or `webrtc`.")


class PanoramaPreviewStarted(Answer):
    """Addresses of the panorama preview."""

    success: bool
    message: str
    transport: str
    stream_kind: str
    hls_url: str
    ice_servers: list[dict[str, Any]]
    resolution: str
    fps_target: int


class PanoramaProcess(BaseModel):
    """Match to process."""

    match_id: str = Field(min_length=1, max_length=128)


class PanoramaProcessStarted(Answer):
    """Confirmation of a queued job."""

    success: bool
    message: str
    match_id: str
    cam0_segments: int
    cam1_segments: int
    estimated_duration_minutes: int
    job_id: str


class PanoramaProcessStatus(Answer):
    """Progress of a match's panorama."""

    processing: bool
    progress: int = Field(description="Progress in percent.")
    eta_seconds: int | None
    completed: bool
    error: str | None
    message: str
    total_frames: int | None = None
    state: str | None = None
    job_id: str | None = None
