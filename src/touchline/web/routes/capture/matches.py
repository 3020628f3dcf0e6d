"""Routes of single matches beyond the contract: details and poster."""

from __future__ import annotations

from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from touchline.capture import MatchDetails
from touchline.core.errors import Blocked, NotFound
from touchline.web.auth.auth import MEDIA, NEEDS_KEY
from touchline.web.files.downloads import FileDownload
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, ReadsDep
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for, limit_of
from touchline.web.models.capture.details import DetailsBody

if TYPE_CHECKING:
    from touchline.capture import Capture

router = APIRouter(
    prefix="/api/v1/matches", tags=["library"], responses=may_answer(500), route_class=Route
)

MatchId = Annotated[str, Path(description="Match id, as listed by `GET /api/v1/recordings`.")]

_JPEG = {"schema": {"type": "string", "format": "binary"}}
_POSTER: dict[int | str, dict[str, Any]] = {
    200: {"description": "Poster as JPEG.", "content": {"image/jpeg": _JPEG}},
    206: {
        "description": "The requested range; several ranges as multipart.",
        "content": dict.fromkeys(("image/jpeg", "multipart/byteranges"), _JPEG),
    },
    **UNCHANGED,
    **may_answer(401, 403, 404, 416, 503),
}


@router.get(
    "/{match_id}/details",
    name="match_details",
    operation_id="get_match_details",
    summary="Get the details of a match",
    response_model=MatchDetails,
    responses=may_answer(404, 409),
)
async def get_match_details(match_id: MatchId, capture: CaptureDep) -> Response:
    """Return teams, competition, venue, date and note of a match; null where unknown."""
    return answer(await capture.details.get(match_id))


@router.put(
    "/{match_id}/details",
    name="match_details",
    operation_id="put_match_details",
    summary="Set the details of a match",
    response_model=MatchDetails,
    responses=may_answer(401, 403, 404, 409, 413),
    dependencies=[NEEDS_KEY],
)
async def put_match_details(match_id: MatchId, body: DetailsBody, capture: CaptureDep) -> Response:
    """Replace the details of a match, also while it is recorded. The id stays what it is."""
    stored: dict[str, Any] = dict(await capture.details.put(match_id, body.to_details()))
    return answer(body.add_warnings(stored))


@router.head(
    "/{match_id}/poster.jpg",
    name="match_poster",
    operation_id="head_match_poster",
    summary="Check the poster of a match",
    response_class=Response,
    responses=_POSTER,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/poster.jpg",
    name="match_poster",
    operation_id="get_match_poster",
    summary="Get the poster of a match",
    response_class=Response,
    responses=_POSTER,
    dependencies=[MEDIA],
)
async def get_match_poster(
    request: Request, match_id: MatchId, capture: CaptureDep, reads: ReadsDep
) -> Response:
    """Return the picture of a match for lists.

    The first request creates it, behind everything else that the machine does. Of the match being
    recorded it is the current picture of a camera.
    """
    if capture.library.is_running(match_id):
        return await _current_picture(request, match_id, capture)
    path = await capture.posters.find(match_id)
    if path is None:
        path = await done_for(request, "poster", lambda: capture.posters.create(match_id))
    limit = limit_of(request, "download")
    return FileDownload(path, missing=f"{match_id} has no poster", reads=reads, limit=limit)


async def _current_picture(request: Request, match_id: str, capture: Capture) -> Response:
    """Return the newest picture of the first camera that has one."""
    camera_ids = [int(camera["id"]) for camera in capture.cameras.status()]
    for camera_id in camera_ids:
        try:
            still = await done_for(request, "still", partial(capture.stills.take, camera_id))
        except Blocked as error:
            if error.code != "no_picture":
                raise
            continue
        headers = {
            "cache-control": "private, no-store",
            "last-modified": formatdate(still.captured_at_s, usegmt=True),
        }
        return Response(still.jpeg, headers=headers, media_type="image/jpeg")
    raise NotFound(
        f"No camera of {match_id} sends a picture at the moment",
        code="no_poster",
        advice="Check the cameras; the poster is created after the match.",
    )
