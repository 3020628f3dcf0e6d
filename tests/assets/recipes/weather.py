"""Routes of one subject. Goes to web/routes/capture/."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from touchline.web.http.answers import answer
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route

router = APIRouter(prefix="/api/v1", responses=may_answer(500), route_class=Route)


@router.get(
    "/weather",
    name="weather",
    operation_id="get_weather",
    summary="Get the weather",
    response_model=dict[str, str],
)
async def get_weather(_: Request) -> Response:
    """Return the weather at the pitch."""
    return answer({"sky": "overcast"})
