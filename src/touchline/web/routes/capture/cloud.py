"""Routes of uploaded files, under the names that the earlier dashboard requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from touchline.capture import CloudArchives, CloudFiles
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route

router = APIRouter(tags=["processing"], responses=may_answer(500), route_class=Route)

_ANSWERS = may_answer(401, 403, 503)


@router.get(
    "/r2/archives",
    name="r2_archives",
    operation_id="list_r2_archives_earlier",
    summary="List uploaded files",
    response_model=CloudArchives,
    responses=_ANSWERS,
    dependencies=[NEEDS_KEY],
)
@router.get(
    "/api/v1/r2/archives",
    name="r2_archives",
    operation_id="list_r2_archives",
    summary="List uploaded files",
    response_model=CloudArchives,
    responses=_ANSWERS,
    dependencies=[NEEDS_KEY],
)
async def list_archives(capture: CaptureDep) -> Response:
    """List uploaded files by match, with presigned URLs valid for an hour.

    Returns 503 if no storage is configured.
    """
    return answer(await capture.cloud.all())


@router.get(
    "/api/v1/recordings/{match_id}/r2-urls",
    name="recording_r2_urls",
    operation_id="get_recording_r2_urls",
    summary="List the uploaded files of a match",
    response_model=CloudFiles,
    responses={**_ANSWERS, **may_answer(404)},
    dependencies=[NEEDS_KEY],
)
async def get_urls(
    match_id: Annotated[str, Path(description="Match id.")], capture: CaptureDep
) -> Response:
    """List a match's uploaded files with presigned URLs valid for an hour.

    Returns 503 if no storage is configured.
    """
    return answer(await capture.cloud.of_match(match_id))
