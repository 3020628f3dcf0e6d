"""Panorama: camera calibration, wide videos of matches, and the status of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchline.capture.calibrations import Calibration, Calibrations
from touchline.capture.library.library import Library
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.live.panorama import PanoramaPreview
from touchline.capture.panorama.answers import (
    CalibrationCompleted,
    CalibrationDetails,
    CalibrationInUse,
    CalibrationList,
    CalibrationSummary,
    PanoramaConfig,
    PanoramaProcessStarted,
    PanoramaProcessStatus,
    PanoramaSnapshot,
    PanoramaStats,
    PanoramaStatus,
    PreviewPerformance,
)
from touchline.capture.panorama.calibration import Calibrating
from touchline.capture.processing.jobs import Job, JobQueue
from touchline.capture.processing.processing import Processing
from touchline.core.errors import NotFound, Refused

ARCHIVE = "panorama_archive.mp4"
_RATE = 0.9
"""Initial estimate of a panorama's rendering time, as a fraction of its length.

It is the value on two cores, used until a measurement is available.
"""


class Panorama:
    """Interface for the panorama's routes and channel."""

    def __init__(
        self,
        calibrations: Calibrations,
        calibrating: Calibrating,
        processing: Processing,
        queue: JobQueue,
        library: Library,
        preview: PanoramaPreview,
    ) -> None:
        self.preview = preview
        self.calibrations = calibrations
        self.calibrating = calibrating
        self._processing = processing
        self._queue = queue
        self._library = library

    # ---------------------------------------------------------------- status

    def status(self) -> PanoramaStatus:
        """Return the contract's PanoramaStatus, from memory."""
        active = self.calibrations.active
        return {
            **self.preview.status(),
            "enabled": self.calibrations.config.enabled,
            "calibrated": active is not None,
            "quality_score": None if active is None else active.quality["score"],
            "calibration_date": None if active is None else active.created_at.isoformat(),
            "calibration_info": {}
            if active is None
            else {
                "calibration_date": active.created_at.isoformat(),
                "quality_score": active.quality["score"],
                "reprojection_error": active.quality["reprojection_error_px"],
                "overlap": active.quality["overlap"],
                "version": active.version,
            },
            "performance": _performance(self.preview.figures),
            "config": self.config(),
        }

    def stats(self) -> PanoramaStats:
        """Return the body of `GET /api/v1/panorama/stats`."""
        shown = self.preview.status()
        return {
            "preview_active": shown["preview_active"],
            "uptime_seconds": shown["uptime_seconds"],
            **_performance(self.preview.figures),
        }

    def snapshot(self) -> PanoramaSnapshot:
        """Return the content of the channel `panorama_status`."""
        return {"panorama": self.status(), "calibration": self.calibrating.status()}

    def config(self) -> PanoramaConfig:
        """Return the body of `GET /api/v1/panorama/config`."""
        config, active = self.calibrations.config, self.calibrations.active
        return {
            "version": "1.0.0",
            "enabled": config.enabled,
            "calibration": _calibration_block(active, config.blend_width),
            "output": {
                "width": config.output_width or 3840,
                "height": config.output_height or 1315,
                "fps": 30,
                "automatic": config.output_width is None,
                "projection": config.projection,
                "quality": config.quality,
            },
            "performance": {
                "preview_fps_target": config.preview_fps_target,
                "use_vic_backend": config.use_vic_backend,
                "use_cuda_backend": False,
                "buffer_size": 8,
                "sync_tolerance_ms": 16.7,
            },
        }

    async def configure(self, changes: Mapping[str, Any]) -> PanoramaConfig:
        """Change settings. Raises Refused where none is given."""
        if not changes:
            raise Refused("No configuration updates provided", code="nothing_given")
        await self.calibrations.configure(**changes)
        return self.config()

    # ---------------------------------------------------------------- calibrations

    def calibration_list(self) -> CalibrationList:
        """Return the body of `GET /api/v1/panorama/calibrations`."""
        active = self.calibrations.config.active_version
        return {
            "calibrations": [_summary(each, active) for each in self.calibrations.all()],
            "active_version": active,
        }

    def calibration_details(self, version: int) -> CalibrationDetails:
        """Return the details of a calibration, with the matched points. Raises NotFound."""
        found = self.calibrations.get(version)
        return {
            **_summary(found, self.calibrations.config.active_version),
            "homography_matrix": [list(row) for row in found.homography_matrix],
            "points": [{"cam0": point.cam0, "cam1": point.cam1} for point in found.points],
            "manual": [{"cam0": point.cam0, "cam1": point.cam1} for point in found.manual],
            "pair": dict(found.pair),
        }

    # --------------------------------------------------------------------- matches

    async def process(self, match_id: str) -> PanoramaProcessStarted:
        """Start the rendering of a match's panorama. Raises NotFound and Refused."""
        if self.calibrations.active is None:
            raise Refused("Panorama not calibrated", code="not_calibrated")
        try:
            segments = await self._library.segments(match_id)
        except NotFound as error:
            raise NotFound(
                f"Match segments not found: {match_id}", code="recording_not_found"
            ) from error
        counts = len(segments["cam0"]), len(segments["cam1"])
        if not all(counts):
            raise Refused("No segments found for both cameras", code="no_footage")
        lasted_s = _duration_s(await self._library.manifest(match_id))
        (job,) = await self._processing.start(match_id, ["panorama"])
        return {
            "success": True,
            "message": "Processing started",
            "match_id": match_id,
            "cam0_segments": counts[0],
            "cam1_segments": counts[1],
            "estimated_duration_minutes": max(1, math.ceil(lasted_s * _RATE / 60)),
            "job_id": job.job_id,
        }

    async def process_status(self, match_id: str) -> PanoramaProcessStatus:
        """Return the progress of a match's panorama; never raises NotFound."""
        job = self._queue.newest(match_id, "panorama")
        if job is not None:
            return _job_status(job)
        try:
            path: Path | None = await self._library.file_path(match_id, ARCHIVE)
        except NotFound:
            path = None
        text = f"No processing found for match {match_id}"
        return {
            "processing": False,
            "progress": 0 if path is None else 100,
            "eta_seconds": None,
            "completed": path is not None,
            "error": None,
            "message": text if path is None else "Processing completed",
        }


def calibration_completed(calibration: Calibration) -> CalibrationCompleted:
    """Return the answer to a request that has completed a calibration."""
    quality = calibration.quality
    return {
        "success": True,
        "message": "Calibration completed successfully",
        "calibration_date": calibration.created_at.isoformat(),
        "quality_score": quality["score"],
        "quality": quality["words"],
        "inlier_ratio": quality["inlier_ratio"],
        "reprojection_error": quality["reprojection_error_px"],
        "coverage": quality["coverage"],
        "overlap": quality["overlap"],
        "num_frames": calibration.pairs,
        "num_matches": quality["inliers"],
        "homography_matrix": [list(row) for row in calibration.homography_matrix],
        "version": calibration.version,
    }


def _summary(calibration: Calibration, active: int | None) -> CalibrationSummary:
    return {
        "version": calibration.version,
        "created_at": calibration.created_at.isoformat(),
        "source": calibration.source,
        "active": calibration.version == active,
        "pairs": calibration.pairs,
        "quality": dict(calibration.quality),
    }


def _performance(figures: Mapping[str, Any]) -> PreviewPerformance:
    frames, lost = int(figures.get("frames", 0)), int(figures.get("dropped", 0))
    stitch_ms = float(figures.get("avg_stitch_ms", 0.0))
    return {
        "current_fps": figures.get("fps", 0.0),
        "frames_stitched": frames,
        "avg_sync_drift_ms": figures.get("avg_apart_ms", 0.0),
        "dropped_frames": lost,
        "delay_ms": figures.get("delay_ms", 0.0),
        "sync_stats": {
            "matched_frames": frames,
            "dropped_cam0": lost,
            "dropped_cam1": lost,
            "avg_time_diff_ms": figures.get("avg_apart_ms", 0.0),
        },
        "stitch_stats": {}
        if not frames
        else {
            "frames_stitched": frames,
            "avg_stitch_time_ms": stitch_ms,
            "last_stitch_time_ms": figures.get("last_stitch_ms", 0.0),
            "encode_time_ms": figures.get("last_encode_ms", 0.0),
            "fps": figures.get("fps", 0.0),
        },
    }


def _duration_s(manifest: Manifest) -> float:
    starts = [s.start_unix_ns for s in manifest.segments if s.start_unix_ns is not None]
    ends = [s.end_unix_ns for s in manifest.segments if s.end_unix_ns is not None]
    return (max(ends) - min(starts)) / 1e9 if starts and ends else 0.0


def _job_status(job: Job) -> PanoramaProcessStatus:
    going_on = not job.is_over
    message = "Processing in progress" if going_on else "Processing completed"
    if job.state == "failed" and job.error is not None:
        message = " ".join(filter(None, (job.error.message, job.error.advice)))
    elif job.state == "cancelled":
        message = "Processing was cancelled"
    elif job.state == "paused":
        message = "Paused while a match is recorded"
    return {
        "processing": going_on,
        "progress": int(job.progress * 100),
        "eta_seconds": None if job.eta_s is None else int(job.eta_s),
        "completed": job.state == "done",
        "error": None if job.error is None else job.error.message,
        "total_frames": job.total or 0,
        "message": message,
        "state": job.state,
        "job_id": job.job_id,
    }


def _calibration_block(active: Calibration | None, blend_width: int) -> CalibrationInUse:
    if active is None:
        return {
            "calibrated": False,
            "homography_cam1_to_cam0": None,
            "overlap_region": None,
            "blend_width": blend_width,
            "quality_score": 0.0,
            "calibration_date": None,
            "version": None,
        }
    lens = active.pair["lens0"]
    width = int(lens["width"])
    shared = round(width * float(active.quality["overlap"]))
    return {
        "calibrated": True,
        "homography_cam1_to_cam0": [list(row) for row in active.homography_matrix],
        "overlap_region": {"start_x": width - shared, "end_x": width, "width": shared},
        "blend_width": blend_width,
        "quality_score": active.quality["score"],
        "calibration_date": active.created_at.isoformat(),
        "version": active.version,
    }
