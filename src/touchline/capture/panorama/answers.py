"""Answers about the panorama: its settings, its calibration, and the panorama of a match."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.capture.live.answers import PanoramaShown
from touchline.core.answers import ANSWER, OPEN_OBJECT, Timestamp


class SyncStats(TypedDict):
    """Pairing of the cameras' pictures."""

    matched_frames: int
    dropped_cam0: int
    dropped_cam1: int
    avg_time_diff_ms: float


class StitchStats(TypedDict, total=False):
    """Time that stitching takes; empty before the first picture."""

    frames_stitched: int
    avg_stitch_time_ms: float
    last_stitch_time_ms: float
    encode_time_ms: float
    fps: float


class PreviewPerformance(TypedDict):
    """Frame rates, delays and dropped frames of the preview."""

    current_fps: Annotated[float, Field(description="Current frame rate.")]
    frames_stitched: Annotated[int, Field(description="Number of stitched pictures.")]
    avg_sync_drift_ms: Annotated[
        float, Field(description="Mean time between the two pictures that are stitched.")
    ]
    dropped_frames: Annotated[
        int, Field(description="Pictures that could not be stitched in time.")
    ]
    delay_ms: Annotated[float, Field(description="Delay of the preview.")]
    sync_stats: Annotated[
        SyncStats, OPEN_OBJECT, Field(description="Pairing of the cameras' pictures.")
    ]
    stitch_stats: Annotated[
        StitchStats,
        OPEN_OBJECT,
        Field(description="Time that stitching takes; empty before the first picture."),
    ]


class _PreviewUptime(TypedDict):
    preview_active: Annotated[bool, Field(description="Whether the panorama is shown.")]
    uptime_seconds: Annotated[float, Field(description="Seconds since the preview was started.")]


@with_config(ANSWER)
class PanoramaStats(_PreviewUptime, PreviewPerformance):
    """Statistics of the panorama preview."""


class OverlapRegion(TypedDict):
    """Columns that both cameras see, in pixels of camera 0."""

    start_x: int
    end_x: int
    width: int


class CalibrationInUse(TypedDict):
    """Calibration in use, as the earlier system's settings have it."""

    calibrated: bool
    homography_cam1_to_cam0: list[list[float]] | None
    overlap_region: OverlapRegion | None
    blend_width: int
    quality_score: float
    calibration_date: str | None
    version: int | None


class PanoramaOutput(TypedDict):
    """Form of the panorama."""

    width: int
    height: int
    fps: int
    automatic: bool
    projection: Literal["cylindrical", "plane"]
    quality: Literal["fast", "balanced", "high"]


class PanoramaPerformance(TypedDict):
    """Settings of the preview."""

    preview_fps_target: int
    use_vic_backend: bool
    use_cuda_backend: bool
    buffer_size: int
    sync_tolerance_ms: float


@with_config(ANSWER)
class PanoramaConfig(TypedDict):
    """Settings of panoramas."""

    version: str
    """Version of the settings' form."""
    enabled: bool
    """Whether panoramas are made."""
    calibration: Annotated[CalibrationInUse, OPEN_OBJECT]
    """Calibration in use, with `calibrated`, `quality_score`, `overlap_region` and `version`."""
    output: Annotated[PanoramaOutput, OPEN_OBJECT]
    """Form of the panorama: `width`, `height`, `projection` and `quality`."""
    performance: Annotated[PanoramaPerformance, OPEN_OBJECT]
    """Settings of the preview: `preview_fps_target` and `use_vic_backend`."""


class CalibrationInfo(TypedDict, total=False):
    """Calibration in use; empty without one."""

    calibration_date: str
    quality_score: float
    reprojection_error: float
    overlap: float
    version: int


@with_config(ANSWER)
class PanoramaStatus(PanoramaShown):
    """State of the panorama preview and its calibration."""

    enabled: bool
    """Whether panoramas are made."""
    calibrated: bool
    """Whether there is a calibration in use."""
    quality_score: NotRequired[float | None]
    """Quality of the calibration, 0 to 1; null without one."""
    calibration_date: NotRequired[str | None]
    """Time of the calibration."""
    calibration_info: Annotated[CalibrationInfo, OPEN_OBJECT]
    """Calibration in use; empty without one."""
    performance: Annotated[PreviewPerformance, OPEN_OBJECT]
    """Frame rates, delays and dropped frames of the preview."""
    config: Annotated[PanoramaConfig, OPEN_OBJECT]
    """Settings of panoramas."""


@with_config(ANSWER)
class PanoramaConfigUpdated(TypedDict):
    """Updated settings."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
    config: PanoramaConfig
    """Settings as they are now."""


@with_config(ANSWER)
class CalibrationStatus(TypedDict):
    """State of the calibration in use and of a calibration in progress."""

    calibrated: bool
    """Whether there is a calibration in use."""
    is_calibrating: bool
    """Whether a calibration is in progress."""
    frames_captured: int
    """Number of pairs of pictures captured for it."""
    quality_score: float | None
    """Quality of the calibration in use, 0 to 1; null without one."""
    calibration_date: str | None
    """Time of the calibration in use."""
    version: int | None
    """Calibration in use."""


class PanoramaSnapshot(TypedDict):
    """Content of the channel `panorama_status`."""

    panorama: PanoramaStatus
    calibration: CalibrationStatus


@with_config(ANSWER)
class CalibrationCaptured(TypedDict):
    """A captured pair of pictures."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
    frames_captured: int
    """Number of pairs captured so far."""
    frames_needed: int
    """Number of pairs that a calibration needs."""
    frames_target: int
    """Number of pairs that make a good calibration."""
    ready_to_calculate: bool
    """Whether there are enough pairs."""
    apart_ms: float
    """Time difference between the two pictures."""
    sharp: bool
    """False if there is little detail in the picture, for example because a lens is wet."""


@with_config(ANSWER)
class MatchedPair(TypedDict):
    """A matched point in both pictures, in pixels."""

    cam0: tuple[float, float]
    """Position in the picture of camera 0."""
    cam1: tuple[float, float]
    """Position in the picture of camera 1."""


@with_config(ANSWER)
class CalibrationCompleted(TypedDict):
    """The new calibration, which is now in use."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
    calibration_date: str
    """Time of the calibration."""
    quality_score: float
    """Quality, 0 to 1."""
    quality: str
    """Rating: excellent, good or poor."""
    inlier_ratio: float
    """Fraction of the matched points that agree with the calibration."""
    reprojection_error: float
    """Reprojection error in pixels of a picture 1,920 wide."""
    coverage: float
    """Fraction of the overlap in which points were matched."""
    overlap: float
    """Fraction of camera 0's columns that both cameras see."""
    num_frames: int
    """Number of pairs of pictures."""
    num_matches: int
    """Number of matched points."""
    homography_matrix: list[list[float]]
    """Homography from camera 1 to camera 0, without lens distortion."""
    version: int
    """Version of the calibration."""


class CalibrationSummary(TypedDict):
    """Facts of a stored calibration."""

    version: Annotated[int, Field(description="Version of the calibration.")]
    created_at: Annotated[Timestamp, Field(description="Time of the calibration.")]
    source: Annotated[
        str,
        Field(description="Source: `cameras`, or the match the pictures were taken from."),
    ]
    active: Annotated[bool, Field(description="Whether it is in use.")]
    pairs: Annotated[int, Field(description="Number of pairs of pictures.")]
    # As the studio measured it, in the calibration's file.
    quality: Annotated[
        dict[str, Any], Field(description="Measured quality, among it `score` and `words`.")
    ]


@with_config(ANSWER)
class CalibrationEntry(CalibrationSummary):
    """A stored calibration."""


@with_config(ANSWER)
class CalibrationList(TypedDict):
    """Stored calibrations, newest first."""

    calibrations: list[CalibrationEntry]
    """Calibrations, newest first."""
    active_version: int | None
    """Calibration in use."""


@with_config(ANSWER)
class CalibrationDetails(CalibrationSummary):
    """Details of one calibration."""

    homography_matrix: list[list[float]]
    """Homography from camera 1 to camera 0, without lens distortion."""
    points: list[MatchedPair]
    """Matched points for drawing on both pictures."""
    manual: list[MatchedPair]
    """Points that were marked by hand."""
    # As the studio worked it out, in the calibration's file.
    pair: dict[str, Any]
    """Lens parameters of both cameras and rotation of camera 1."""


@with_config(ANSWER)
class PanoramaProcessStarted(TypedDict):
    """Confirmation of a queued job."""

    success: bool
    """Always true."""
    message: str
    """Human-readable message."""
    match_id: str
    """Match id."""
    cam0_segments: int
    """Number of segments of camera 0."""
    cam1_segments: int
    """Number of segments of camera 1."""
    estimated_duration_minutes: int
    """Estimated duration of the job."""
    job_id: str
    """Job id."""


@with_config(ANSWER)
class PanoramaProcessStatus(TypedDict):
    """Progress of a match's panorama."""

    processing: bool
    """Whether the job is queued or running."""
    progress: int
    """Progress in percent."""
    eta_seconds: int | None
    """Estimated seconds left, if known."""
    completed: bool
    """Whether the panorama is complete."""
    error: str | None
    """Reason for the failure; null without one."""
    message: str
    """Human-readable message."""
    total_frames: NotRequired[int | None]
    """Number of frames of the panorama."""
    state: NotRequired[str | None]
    """State of the job."""
    job_id: NotRequired[str | None]
    """Job id."""
