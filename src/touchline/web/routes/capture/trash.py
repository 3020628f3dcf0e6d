"""Routes of the trash: move a match there, list, restore, delete for good."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from touchline.capture import MovedToTrash, PurgedMatches, RestoredMatch, TrashListing
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route

router = APIRouter(prefix="/api/v1", tags=["library"], responses=may_answer(500), route_class=Route)

MatchId = Annotated[str, Path(description="Match id, as listed by `GET /api/v1/recordings`.")]
TrashId = Annotated[
    str,
    Path(
        description="Id of the entry, as listed by `GET /api/v1/trash`. With a match id, the last"
        " deleted match of that id."
    ),
]


@router.post(
    "/matches/{match_id}/trash",
    name="match_trash",
    operation_id="trash_match",
    summary="Move a match to the trash",
    response_model=MovedToTrash,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def trash_match(match_id: MatchId, capture: CaptureDep) -> Response:
    """Move a match to the trash and remove its jobs.

    The match being recorded and a protected match are refused. A match in the trash is deleted for
    good after `capture.trash_days`, or earlier if a recording needs the space.
    """
    return answer(await capture.trash_match(match_id))


@router.get(
    "/trash",
    name="trash",
    operation_id="list_trash",
    summary="List the trash",
    response_model=TrashListing,
)
async def list_trash(capture: CaptureDep) -> Response:
    """List the matches in the trash, the last deleted first."""
    return answer(await capture.trash.list())


@router.post(
    "/trash/{trash_id}/restore",
    name="trash_restore",
    operation_id="restore_match",
    summary="Restore a match from the trash",
    response_model=RestoredMatch,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def restore_match(trash_id: TrashId, capture: CaptureDep) -> Response:
    """Move a match back to the library.

    If another match of its id exists by now, it gets a number at its end: `derby_2`.
    """
    return answer(await capture.trash.restore(trash_id))


@router.delete(
    "/trash/{trash_id}",
    name="trash_entry",
    operation_id="purge_match",
    summary="Delete a match from the trash",
    response_model=PurgedMatches,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def purge_match(trash_id: TrashId, capture: CaptureDep) -> Response:
    """Delete a match from the trash for good."""
    return answer(await capture.trash.purge(trash_id))


@router.delete(
    "/trash",
    name="trash",
    operation_id="empty_trash",
    summary="Empty the trash",
    response_model=PurgedMatches,
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def empty_trash(capture: CaptureDep) -> Response:
    """Delete all matches in the trash for good."""
    return answer(await capture.trash.empty())
