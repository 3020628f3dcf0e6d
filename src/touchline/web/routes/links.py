"""Route that creates links for players without the key."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from touchline.core.errors import Invalid
from touchline.web.auth.auth import NEEDS_KEY, gate_of
from touchline.web.auth.medialinks import media_scope, sign_target, split_target
from touchline.web.http.answers import answer
from touchline.web.http.deps import system_of
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.links import MakeLink, MediaLink

router = APIRouter(prefix="/api/v1", tags=["session"], responses=may_answer(500), route_class=Route)


@router.post(
    "/links",
    name="links",
    operation_id="make_link",
    summary="Create a link to media",
    response_model=MediaLink,
    responses=may_answer(401, 403, 413),
    dependencies=[NEEDS_KEY],
)
async def make_link(request: Request, body: MakeLink) -> Response:
    """Sign a path so that a player can open it, and the files of a playlist, without the key.

    Links expire after `auth.link_lifetime_s`, and immediately when the key changes.
    """
    found = split_target(body.path)
    opens = None if found is None else media_scope(*found)
    if opens is None:
        raise Invalid(
            "The path is not a playlist, clip, still or file of this server",
            code="not_media",
            loc=("body", "path"),
            input=body.path,
        )
    signer = gate_of(request).signer
    path, expires_in_s = body.path.partition("#")[0], None
    if signer is not None:
        expires_in_s = system_of(request).settings.auth.link_lifetime_s
        path = sign_target(body.path, signer.link(opens, expires_in_s))
    host = request.headers.get("host") or "{}:{}".format(*request.scope["server"])
    url = f"{request.scope['scheme']}://{host}{path}"
    link: MediaLink = {"url": url, "path": path, "expires_in_s": expires_in_s}
    return answer(link)
