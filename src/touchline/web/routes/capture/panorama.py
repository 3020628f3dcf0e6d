"""Routes of the panorama. A handler parses, calls and renders."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from touchline.capture import (
    CalibrationCaptured,
    CalibrationCompleted,
    CalibrationDetails,
    CalibrationList,
    CalibrationStatus,
    Done,
    PanoramaConfig,
    PanoramaConfigUpdated,
    PanoramaPreviewStarted,
    PanoramaProcessStarted,
    PanoramaProcessStatus,
    PanoramaStats,
    PanoramaStatus,
    calibration_completed,
)
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

Version = Annotated[int, Path(ge=1, le=1_000_000, description="Version of the calibration.")]
_WRITES = may_answer(400, 401, 403, 413, 503)


@router.get(
    "/status",
    name="panorama_status",
    operation_id="get_panorama",
    summary="Get the state of the panorama preview",
    response_model=PanoramaStatus,
)
async def get_status(capture: CaptureDep) -> Response:
    """Return the state of the panorama preview and the calibration in use."""
    return answer(capture.panorama.status())


@router.get(
    "/config",
    name="panorama_config",
    operation_id="get_panorama_config",
    summary="Get the panorama settings",
    response_model=PanoramaConfig,
)
async def get_config(capture: CaptureDep) -> Response:
    """Return the panorama settings and the calibration in use."""
    return answer(capture.panorama.config())


@router.put(
    "/config",
    name="panorama_config",
    operation_id="set_panorama_config",
    summary="Change the panorama settings",
    response_model=PanoramaConfigUpdated,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def set_config(body: models.PanoramaConfigUpdate, capture: CaptureDep) -> Response:
    """Change the panorama settings. Running jobs keep the settings they started with."""
    config = await capture.panorama.configure(body.changes())
    text = "Configuration updated"
    return answer(PanoramaConfigUpdated(success=True, message=text, config=config))


@router.get(
    "/stats",
    name="panorama_stats",
    operation_id="get_panorama_stats",
    summary="Get statistics of the panorama preview",
    response_model=PanoramaStats,
)
async def get_stats(capture: CaptureDep) -> Response:
    """Return frame rates, delays and dropped frames of the panorama preview."""
    return answer(capture.panorama.stats())


# ---------------------------------------------------------------------- calibration


@router.get(
    "/calibration",
    name="calibration",
    operation_id="get_calibration",
    summary="Get the state of the calibration",
    response_model=CalibrationStatus,
)
async def get_calibration(capture: CaptureDep) -> Response:
    """Return the calibration in use and the progress of a calibration."""
    return answer(capture.panorama.calibrating.status())


@router.post(
    "/calibration/start",
    name="calibration_start",
    operation_id="start_calibration",
    summary="Start a calibration",
    response_model=Done,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def start_calibration(
    capture: CaptureDep, body: models.CalibrationStart | None = None
) -> Response:
    """Start a calibration and discard earlier pictures. The calibration in use is kept."""
    del body  # older clients send a number of frames
    await capture.panorama.calibrating.start()
    return answer(Done(success=True, message="Calibration started successfully"))


@router.post(
    "/calibration/capture",
    name="calibration_capture",
    operation_id="capture_calibration",
    summary="Capture a pair of pictures",
    response_model=CalibrationCaptured,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def capture_calibration(request: Request, capture: CaptureDep) -> Response:
    """Capture a picture of each camera at the same instant."""
    return answer(await done_for(request, "calibration", capture.panorama.calibrating.capture))


@router.post(
    "/calibration/reset",
    name="calibration_reset",
    operation_id="reset_calibration",
    summary="Reset a calibration",
    response_model=Done,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def reset_calibration(capture: CaptureDep) -> Response:
    """Discard the captured pictures. The calibration in use is kept."""
    await capture.panorama.calibrating.reset()
    text = "Calibration reset successfully. You can start a new calibration."
    return answer(Done(success=True, message=text))


@router.post(
    "/calibration/complete",
    name="calibration_complete",
    operation_id="complete_calibration",
    summary="Complete a calibration",
    response_model=CalibrationCompleted,
    responses=_WRITES,
    dependencies=[NEEDS_KEY],
)
async def complete_calibration(
    request: Request, capture: CaptureDep, body: models.CalibrationComplete | None = None
) -> Response:
    """Compute the geometry of the cameras from the captured pictures and activate it."""
    points = [] if body is None else [point.model_dump() for point in body.points]
    work = partial(capture.panorama.calibrating.complete, points)
    return answer(calibration_completed(await done_for(request, "calibration", work)))


@router.post(
    "/calibration/from-match",
    name="calibration_from_match",
    operation_id="calibrate_from_match",
    summary="Calibrate from a recording",
    response_model=CalibrationCompleted,
    responses=may_answer(400, 401, 403, 404, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def calibrate_from_match(
    request: Request, body: models.CalibrationFromMatch, capture: CaptureDep
) -> Response:
    """Calibrate with pictures of the same instants from a recorded match."""
    points = [point.model_dump() for point in body.points]
    work = partial(
        capture.panorama.calibrating.from_match,
        body.match_id,
        instants=body.instants,
        manual=points,
    )
    return answer(calibration_completed(await done_for(request, "calibration", work)))


@router.delete(
    "/calibration",
    name="calibration",
    operation_id="clear_calibration",
    summary="Clear the calibration",
    response_model=Done,
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def clear_calibration(capture: CaptureDep) -> Response:
    """Deactivate the calibration. New panoramas need another one; stored calibrations are kept."""
    await capture.panorama.calibrations.clear()
    return answer(Done(success=True, message="Calibration cleared"))


@router.get(
    "/calibrations",
    name="calibrations",
    operation_id="list_calibrations",
    summary="List calibrations",
    response_model=CalibrationList,
)
async def list_calibrations(capture: CaptureDep) -> Response:
    """List stored calibrations, newest first."""
    return answer(capture.panorama.calibration_list())


@router.get(
    "/calibrations/{version}",
    name="calibration_version",
    operation_id="get_calibration_version",
    summary="Get a calibration",
    response_model=CalibrationDetails,
    responses=may_answer(404),
)
async def get_calibration_version(version: Version, capture: CaptureDep) -> Response:
    """Return the details of a calibration, with the matched points."""
    return answer(capture.panorama.calibration_details(version))


@router.post(
    "/calibrations/{version}/activate",
    name="calibration_activate",
    operation_id="activate_calibration",
    summary="Activate a calibration",
    response_model=Done,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def activate_calibration(version: Version, capture: CaptureDep) -> Response:
    """Use this calibration for new panoramas."""
    await capture.panorama.calibrations.activate(version)
    return answer(Done(success=True, message=f"Calibration {version} is in use"))


# ---------------------------------------------------------------------- preview


@router.post(
    "/preview/start",
    name="panorama_preview_start",
    operation_id="start_panorama_preview",
    summary="Start the panorama preview",
    response_model=PanoramaPreviewStarted,
    responses=may_answer(400, 401, 403, 409, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def start_preview(
    capture: CaptureDep, body: models.PanoramaPreviewStart | None = None
) -> Response:
    """Stitch both cameras live. Responds when the first frame is available."""
    return answer(await capture.panorama.preview.start(None if body is None else body.transport))


@router.post(
    "/preview/stop",
    name="panorama_preview_stop",
    operation_id="stop_panorama_preview",
    summary="Stop the panorama preview",
    response_model=Done,
    responses=may_answer(400, 401, 403),
    dependencies=[NEEDS_KEY],
)
async def stop_preview(capture: CaptureDep) -> Response:
    """Stop the panorama preview and remove its playlist, files and sessions before responding."""
    return answer(await capture.panorama.preview.stop())


# ---------------------------------------------------------------------- of a match


@router.post(
    "/process",
    name="panorama_process",
    operation_id="process_panorama",
    summary="Create the panorama of a match",
    response_model=PanoramaProcessStarted,
    responses=may_answer(400, 401, 403, 404, 409, 413),
    dependencies=[NEEDS_KEY],
)
async def process_panorama(body: models.PanoramaProcess, capture: CaptureDep) -> Response:
    """Queue a job for the panorama. Jobs pause while a match is recorded."""
    return answer(await capture.panorama.process(body.match_id))


@router.get(
    "/process/{match_id}/status",
    name="panorama_process_status",
    operation_id="get_panorama_process",
    summary="Get the progress of a match's panorama",
    response_model=PanoramaProcessStatus,
    responses=may_answer(404),
)
async def get_process(
    match_id: Annotated[str, Path(description="Match id.")], capture: CaptureDep
) -> Response:
    """Return the progress of a match's panorama.

    An unknown match is reported as not processed; 404 is only returned for invalid ids.
    """
    return answer(await capture.panorama.process_status(match_id))
