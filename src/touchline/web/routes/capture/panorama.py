"""The routes of the panorama. A handler parses, calls and renders."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from touchline.capture import Calibration
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for
from touchline.web.models.capture import panorama as models

router = APIRouter(
    prefix="/api/v1/panorama", tags=["panorama"], responses=may_answer(500), route_class=Route
)

Version = Annotated[int, Path(ge=1, le=1_000_000, description="The calibration's number.")]
_WRITES = may_answer(400, 401, 403, 413, 503)


@router.get(
    "/status",
    name="panorama_status",
    operation_id="get_panorama",
    summary="State of the panorama",
    response_model=models.PanoramaStatus,
)
async def get_status(capture: CaptureDep) -> Response:
    """What is shown, how well, and with which calibration; from memory."""
    return answer(capture.panorama.status())


@router.get(
    "/config",
    name="panorama_config",
    operation_id="get_panorama_config",
    summary="How panoramas are made",
    response_model=models.PanoramaConfig,
)
async def get_config(capture: CaptureDep) -> Response:
    """The settings, and the calibration in use."""
    return answer(capture.panorama.config())


@router.put(
    "/config",
    name="panorama_config",
    operation_id="set_panorama_config",
    summary="Change how panoramas are made",
    response_model=models.PanoramaConfigUpdated,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def set_config(body: models.PanoramaConfigUpdate, capture: CaptureDep) -> Response:
    """Change settings and keep them; running work goes on with those it began with."""
    config = await capture.panorama.configure(body.changes())
    return answer({"success": True, "message": "Configuration updated", "config": config})


@router.get(
    "/stats",
    name="panorama_stats",
    operation_id="get_panorama_stats",
    summary="Figures of the panorama's preview",
    response_model=models.PanoramaStats,
)
async def get_stats(capture: CaptureDep) -> Response:
    """Rates, delays and losses."""
    return answer(capture.panorama.stats())


# ---------------------------------------------------------------------- calibration


@router.get(
    "/calibration",
    name="calibration",
    operation_id="get_calibration",
    summary="State of the calibration",
    response_model=models.CalibrationStatus,
)
async def get_calibration(capture: CaptureDep) -> Response:
    """Whether there is one, and how far one under way is."""
    return answer(capture.panorama.calibrating.status())


@router.post(
    "/calibration/start",
    name="calibration_start",
    operation_id="start_calibration",
    summary="Begin a calibration",
    response_model=models.Done,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def start_calibration(
    capture: CaptureDep, body: models.CalibrationStart | None = None
) -> Response:
    """Forget earlier pictures and begin anew; the calibration in use stays in use."""
    del body  # older clients name a number of frames
    await capture.panorama.calibrating.start()
    return answer({"success": True, "message": "Calibration started successfully"})


@router.post(
    "/calibration/capture",
    name="calibration_capture",
    operation_id="capture_calibration",
    summary="Capture one pair of pictures",
    response_model=models.CalibrationCaptured,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def capture_calibration(request: Request, capture: CaptureDep) -> Response:
    """A picture of each camera, taken at the same instant."""
    return answer(await done_for(request, "calibration", capture.panorama.calibrating.capture))


@router.post(
    "/calibration/reset",
    name="calibration_reset",
    operation_id="reset_calibration",
    summary="Give a calibration up",
    response_model=models.Done,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def reset_calibration(capture: CaptureDep) -> Response:
    """Forget the captured pictures; the calibration in use stays in use."""
    await capture.panorama.calibrating.reset()
    text = "Calibration reset successfully. You can start a new calibration."
    return answer({"success": True, "message": text})


@router.post(
    "/calibration/complete",
    name="calibration_complete",
    operation_id="complete_calibration",
    summary="Work the calibration out",
    response_model=models.CalibrationCompleted,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def complete_calibration(
    request: Request, capture: CaptureDep, body: models.CalibrationComplete | None = None
) -> Response:
    """Find how the cameras stand to each other, and use it from now on."""
    points = [] if body is None else [point.model_dump() for point in body.points]
    work = partial(capture.panorama.calibrating.complete, points)
    return answer(_completed(await done_for(request, "calibration", work)))


@router.post(
    "/calibration/from-match",
    name="calibration_from_match",
    operation_id="calibrate_from_match",
    summary="Calibrate from a recording",
    response_model=models.CalibrationCompleted,
    responses=may_answer(400, 401, 403, 404, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def calibrate_from_match(
    request: Request, body: models.CalibrationFromMatch, capture: CaptureDep
) -> Response:
    """Take pictures of the same instants from a recorded match, and calibrate with them."""
    points = [point.model_dump() for point in body.points]
    work = partial(
        capture.panorama.calibrating.from_match,
        body.match_id,
        instants=body.instants,
        manual=points,
    )
    return answer(_completed(await done_for(request, "calibration", work)))


@router.delete(
    "/calibration",
    name="calibration",
    operation_id="clear_calibration",
    summary="Use no calibration",
    response_model=models.Done,
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def clear_calibration(capture: CaptureDep) -> Response:
    """Panoramas can be made no more until there is one again; those there are are kept."""
    await capture.panorama.calibrations.clear()
    return answer({"success": True, "message": "Calibration cleared"})


@router.get(
    "/calibrations",
    name="calibrations",
    operation_id="list_calibrations",
    summary="All calibrations",
    response_model=models.CalibrationList,
)
async def list_calibrations(capture: CaptureDep) -> Response:
    """The newest first."""
    calibrations = capture.panorama.calibrations
    active = calibrations.config.active_version
    return answer(
        {
            "calibrations": [_entry(each, active) for each in calibrations.all()],
            "active_version": active,
        }
    )


@router.get(
    "/calibrations/{version}",
    name="calibration_version",
    operation_id="get_calibration_version",
    summary="One calibration",
    response_model=models.CalibrationDetails,
    responses=may_answer(404),
)
async def get_calibration_version(version: Version, capture: CaptureDep) -> Response:
    """Everything that is known of it, with the matched points."""
    calibrations = capture.panorama.calibrations
    found = calibrations.get(version)
    return answer(
        {
            **_entry(found, calibrations.config.active_version),
            **found.model_dump(
                mode="json", include={"homography_matrix", "points", "manual", "pair"}
            ),
        }
    )


@router.post(
    "/calibrations/{version}/activate",
    name="calibration_activate",
    operation_id="activate_calibration",
    summary="Use an earlier calibration",
    response_model=models.Done,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def activate_calibration(version: Version, capture: CaptureDep) -> Response:
    """Panoramas are made with it from now on."""
    await capture.panorama.calibrations.activate(version)
    return answer({"success": True, "message": f"Calibration {version} is in use"})


# ---------------------------------------------------------------------- preview


@router.post(
    "/preview/start",
    name="panorama_preview_start",
    operation_id="start_panorama_preview",
    summary="Show the panorama live",
    response_model=models.PanoramaPreviewStarted,
    responses=may_answer(400, 401, 403, 409, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def start_preview(
    capture: CaptureDep, body: models.PanoramaPreviewStart | None = None
) -> Response:
    """Stitch both cameras live; answers when the first picture is there."""
    return answer(await capture.panorama.preview.start(None if body is None else body.transport))


@router.post(
    "/preview/stop",
    name="panorama_preview_stop",
    operation_id="stop_panorama_preview",
    summary="Show the panorama no more",
    response_model=models.Done,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def stop_preview(capture: CaptureDep) -> Response:
    """Playlist, files and sessions are gone with the answer."""
    return answer(await capture.panorama.preview.stop())


# ---------------------------------------------------------------------- of a match


@router.post(
    "/process",
    name="panorama_process",
    operation_id="process_panorama",
    summary="Make the panorama of a match",
    response_model=models.PanoramaProcessStarted,
    responses=may_answer(400, 401, 403, 404, 409, 413),
    dependencies=[NEEDS_KEY],
)
async def process_panorama(body: models.PanoramaProcess, capture: CaptureDep) -> Response:
    """A job that waits for its turn; it rests while a match is recorded."""
    return answer(await capture.panorama.process(body.match_id))


@router.get(
    "/process/{match_id}/status",
    name="panorama_process_status",
    operation_id="get_panorama_process",
    summary="How far a match's panorama is",
    response_model=models.PanoramaProcessStatus,
    responses=may_answer(404),
)
async def get_process(
    match_id: Annotated[str, Path(description="The match.")], capture: CaptureDep
) -> Response:
    """A match that nobody knows was not processed; 404 is for what cannot be a name at all."""
    return answer(await capture.panorama.process_status(match_id))


def _completed(calibration: Calibration) -> dict[str, Any]:
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


def _entry(calibration: Calibration, active: int | None) -> dict[str, Any]:
    return {
        "version": calibration.version,
        "created_at": calibration.created_at.isoformat(),
        "source": calibration.source,
        "active": calibration.version == active,
        "pairs": calibration.pairs,
        "quality": dict(calibration.quality),
    }
