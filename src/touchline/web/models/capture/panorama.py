"""The panorama: calibration, preview, and making it of a match."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import WHOLE, Answer, Number, Truth

Pixels = Annotated[Number, Field(ge=-16_384, le=16_384)]
"""A coordinate in a picture, which may lie a little outside of it."""


Width = Annotated[int, Field(strict=True, ge=640, le=7680, multiple_of=2), WHOLE]
Height = Annotated[int, Field(strict=True, ge=180, le=4320, multiple_of=2), WHOLE]
Seam = Annotated[int, Field(strict=True, ge=2, le=800), WHOLE]
Few = Annotated[int, Field(strict=True, ge=1, le=60), WHOLE]


class PanoramaStatus(Answer):
    """What is shown, how well it goes, and with which calibration."""

    preview_active: bool
    transport: str
    stream_kind: str
    hls_url: str
    ice_servers: list[dict[str, Any]]
    uptime_seconds: float
    enabled: bool
    calibrated: bool
    quality_score: float | None = Field(default=None, description="0 to 1; null: not calibrated.")
    calibration_date: str | None = Field(default=None, description="When it was calibrated.")
    calibration_info: dict[str, Any] = Field(description="Empty without a calibration.")
    performance: dict[str, Any] = Field(description="Rates, delays and losses of the preview.")
    config: dict[str, Any]


class PanoramaConfig(Answer):
    """How panoramas are made."""

    version: str
    enabled: bool
    calibration: dict[str, Any]
    output: dict[str, Any]
    performance: dict[str, Any]


class PanoramaConfigUpdate(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="ignore")

    enabled: Truth | None = None
    output_width: Width | None = Field(None, description="Pixels, even.")
    output_height: Height | None = Field(None, description="Pixels, even.")
    preview_fps_target: Few | None = Field(None, description="Frames a second.")
    use_vic_backend: Truth | None = Field(None, description="Kept; of use on a Jetson only.")
    projection: Literal["cylindrical", "plane"] | None = None
    blend_width: Seam | None = Field(None, description="Width of the seam in pixels.")
    quality: Literal["fast", "balanced", "high"] | None = Field(
        None, description="How much time the encoder takes for a match's panorama."
    )
    automatic_size: Truth | None = Field(
        None, description="True: as large as the cameras' own resolution."
    )

    def changes(self) -> dict[str, Any]:
        """The settings that were given."""
        given = self.model_dump(exclude_none=True)
        if given.pop("automatic_size", None):
            given |= {"output_width": None, "output_height": None}
        return given


class PanoramaConfigUpdated(Answer):
    """The settings from now on."""

    success: bool
    message: str
    config: PanoramaConfig


class PanoramaStats(Answer):
    """Figures of the preview."""

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
    """Whether the cameras are calibrated, and how far a calibration is."""

    calibrated: bool
    is_calibrating: bool
    frames_captured: int
    quality_score: float | None
    calibration_date: str | None
    version: int | None = Field(description="The calibration in use.")


class CalibrationStart(BaseModel):
    """Accepted for older clients; 15 pairs are aimed at in any case."""

    frame_count: Annotated[int, Field(strict=True, ge=1, le=1000), WHOLE] | None = None


class Done(Answer):
    """It was done."""

    success: bool
    message: str


class CalibrationCaptured(Answer):
    """One more pair of pictures."""

    success: bool
    message: str
    frames_captured: int
    frames_needed: int
    frames_target: int
    ready_to_calculate: bool
    apart_ms: float = Field(description="How far apart the two pictures were taken.")
    sharp: bool = Field(description="False: there is little detail; is a lens wet?")


class MatchedPair(Answer):
    """A spot that was found in both pictures."""

    cam0: tuple[float, float]
    cam1: tuple[float, float]


class PointPair(BaseModel):
    """The same spot in both pictures, in pixels of the captured size."""

    cam0: tuple[Pixels, Pixels]
    cam1: tuple[Pixels, Pixels]


class CalibrationComplete(BaseModel):
    """What a person adds to what was found."""

    points: list[PointPair] = Field(default_factory=list, max_length=200)


class CalibrationFromMatch(BaseModel):
    """Calibrate from a recording."""

    match_id: str = Field(min_length=1, max_length=128)
    instants: Few = Field(12, description="Pairs of pictures to take from it.")
    points: list[PointPair] = Field(default_factory=list, max_length=200)


class CalibrationCompleted(Answer):
    """The calibration that is used from now on."""

    success: bool
    message: str
    calibration_date: str
    quality_score: float
    quality: str = Field(description="excellent, good or poor.")
    inlier_ratio: float
    reprojection_error: float = Field(description="Pixels of a picture 1,920 wide.")
    coverage: float
    overlap: float
    num_frames: int
    num_matches: int
    homography_matrix: list[list[float]]
    version: int


class CalibrationEntry(Answer):
    """One calibration there is."""

    version: int
    created_at: datetime
    source: str = Field(description="`cameras`, or the match it was taken from.")
    active: bool
    pairs: int
    quality: dict[str, Any]


class CalibrationList(Answer):
    """All of them, the newest first."""

    calibrations: list[CalibrationEntry]
    active_version: int | None


class CalibrationDetails(CalibrationEntry):
    """One calibration with everything that is known of it."""

    homography_matrix: list[list[float]]
    points: list[MatchedPair] = Field(description="Matched points, to be drawn on both pictures.")
    manual: list[MatchedPair]
    pair: dict[str, Any] = Field(description="Both lenses, and how camera 1 is turned.")


class PanoramaPreviewStart(BaseModel):
    """How to show it."""

    transport: str | None = Field(None, max_length=32, description="`hls` or `webrtc`.")


class PanoramaPreviewStarted(Answer):
    """Where to see it."""

    success: bool
    message: str
    transport: str
    stream_kind: str
    hls_url: str
    ice_servers: list[dict[str, Any]]
    resolution: str
    fps_target: int


class PanoramaProcess(BaseModel):
    """Which match."""

    match_id: str = Field(min_length=1, max_length=128)


class PanoramaProcessStarted(Answer):
    """It waits for its turn."""

    success: bool
    message: str
    match_id: str
    cam0_segments: int
    cam1_segments: int
    estimated_duration_minutes: int
    job_id: str


class PanoramaProcessStatus(Answer):
    """How far it is."""

    processing: bool
    progress: int = Field(description="Per cent.")
    eta_seconds: int | None
    completed: bool
    error: str | None
    message: str
    total_frames: int | None = None
    state: str | None = None
    job_id: str | None = None
