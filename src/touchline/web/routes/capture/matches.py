"""Routes of single matches beyond the contract: details."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from touchline.capture import MatchDetails
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.capture.details import DetailsBody

router = APIRouter(
    prefix="/api/v1/matches", tags=["library"], responses=may_answer(500), route_class=Route
)

MatchId = Annotated[str, Path(description="Match id, as listed by `GET /api/v1/recordings`.")]


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
    return answer(body.noted_in(stored))
