"""Routes of recording: state, start, stop and health. A handler parses, calls and renders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response

from touchline.capture import (
    CamerasStatus,
    HostHealth,
    LastStopDismissed,
    PipelineState,
    RecordingHealth,
    RecordingStatus,
    StartReport,
    Status,
    StopReport,
)
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.base import Truth
from touchline.web.models.capture.recording import StartRecording

if TYPE_CHECKING:
    from touchline.capture import Capture

router = APIRouter(prefix="/api/v1", tags=["capture"], responses=may_answer(500), route_class=Route)


@router.get(
    "/health",
    name="health",
    operation_id="get_health",
    summary="Get the health of the machine",
    response_model=HostHealth,
)
async def get_health(capture: CaptureDep) -> Response:
    """Return the health of the machine."""
    return answer(capture.host.health())


@router.get(
    "/status",
    name="status",
    operation_id="get_status",
    summary="Get the state of recording and preview",
    response_model=Status,
)
async def get_status(capture: CaptureDep) -> Response:
    """Return the state of recording and preview. The response never waits for hardware."""
    return answer(capture.status())


@router.get(
    "/pipeline-state",
    name="pipeline-state",
    operation_id="get_pipeline_state",
    summary="Get the use of the cameras",
    response_model=PipelineState,
)
async def get_pipeline_state(capture: CaptureDep) -> Response:
    """Return the current use of the cameras and what could be started now."""
    return answer(capture.mode())


@router.get(
    "/cameras",
    name="cameras",
    operation_id="get_cameras",
    summary="Cameras",
    response_model=CamerasStatus,
)
async def get_cameras(capture: CaptureDep) -> Response:
    """List every camera with its kind, state and newest statistics."""
    return answer(capture.cameras_status())


@router.get(
    "/recording",
    name="recording",
    operation_id="get_recording",
    summary="Get the state of the recording",
    response_model=RecordingStatus,
)
async def get_recording(capture: CaptureDep) -> Response:
    """Return the state of the recording."""
    return answer(capture.recorder.status())


@router.post(
    "/recording",
    name="recording",
    operation_id="start_recording",
    summary="Start recording",
    response_model=StartReport,
    responses=may_answer(400, 401, 403, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def start_recording(body: StartRecording, capture: CaptureDep) -> Response:
    """Start recording a match.

    Responds once the first frame of every required camera is on the disk. A refusal (already
    recording, a camera does not start) is reported with status 200 and `success` false.
    """
    return answer(await start(capture, body))


async def start(capture: Capture, body: StartRecording) -> StartReport:
    """Start recording as the request says, and return the body of the response."""
    report = await capture.start_recording(
        body.match_id or None,
        force=bool(body.force),
        process_after_recording=bool(body.process_after_recording),
        require_all=body.require_all_cameras,
        details=None if body.details is None else body.details.to_details(),
    )
    warnings = [*body.warnings(), *(report.get("warnings") or ())]
    return {**report, "warnings": warnings} if warnings else report


@router.delete(
    "/recording",
    name="recording",
    operation_id="stop_recording",
    summary="Stop recording",
    response_model=StopReport,
    responses=may_answer(401, 403, 503),
    dependencies=[NEEDS_KEY],
)
async def stop_recording(
    capture: CaptureDep,
    *,
    force: Annotated[Truth, Query(description="Stop even within the protection period.")] = False,
) -> Response:
    """Stop the recording, finalise the files and check their integrity before responding.

    A refusal (nothing recorded, still protected) is reported with status 200 and `success` false.
    """
    return answer(await capture.recorder.stop(force=force))


@router.delete(
    "/recording/last-stop",
    name="last_stop",
    operation_id="dismiss_last_stop",
    summary="Dismiss the verdict of the last stop",
    response_model=LastStopDismissed,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def dismiss_last_stop(
    capture: CaptureDep,
    *,
    verdict_id: Annotated[
        str | None,
        Query(
            alias="id",
            max_length=64,
            description="Id of the verdict that was shown: another one, of a stop since then, is"
            " not dismissed. Without it, the present one is.",
        ),
    ] = None,
) -> Response:
    """Remove the verdict of the last stop from the state on every device.

    The match and what its check found stay in the library.
    """
    return answer(await capture.recorder.dismiss_last_stop(verdict_id))


@router.get(
    "/recording-health",
    name="recording-health",
    operation_id="get_recording_health",
    summary="Get the health of the recording",
    response_model=RecordingHealth,
)
async def get_recording_health(capture: CaptureDep) -> Response:
    """Return the health of the running recording, camera by camera."""
    return answer(capture.recorder.health())
