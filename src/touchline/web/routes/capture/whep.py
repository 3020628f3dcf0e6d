"""WHEP, the standard protocol for watching over WebRTC: the offer is posted, the answer returned.

draft-ietf-wish-whep: trickled candidates by PATCH, no ICE restart. Players do not know this
server's own signalling over `/ws`; both create the same kind of session.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.exceptions import HTTPException

from touchline.core.errors import Failed, NotFound, Refused, TouchlineError
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from touchline.capture import Capture, IceServer, WebRtcSession

OWNER = "whep"
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
RETRY_AFTER_S = 5
"""Delay before a player may retry a camera that is currently unavailable."""

_CAMERA = re.compile(r"cam(0|[1-9]\d{0,3})", re.ASCII)
_REFUSED_OFFERS = {"bad_offer": 400, "bad_candidate": 400, "offer_not_acceptable": 406}
_MOST_CANDIDATES = 64
_NOT_WATCHABLE = {"recording_active", "no_picture"}
_PATHS = {"endpoint": "GET, OPTIONS, POST", "session": "DELETE, GET, OPTIONS, PATCH"}

router = APIRouter(
    prefix="/api/v1/whep", tags=["live"], responses=may_answer(500), route_class=Route
)

Stream = Annotated[str, Path(description="Stream: `cam0`, `cam1` … or `panorama`.")]
SessionId = Annotated[str, Path(description="Session id from the `Location` header.")]
IfMatch = Annotated[
    str | None, Header(description="`ETag` of the response that created the session.")
]


def _body(media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "string"}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/{stream}",
    name="whep",
    operation_id="whep_start",
    summary="Watch a camera (WHEP)",
    status_code=201,
    response_class=Response,
    dependencies=[NEEDS_KEY],
    openapi_extra=_body(SDP),
    responses={
        201: {
            "description": "SDP answer; `Location` has the URL of the session.",
            "content": {SDP: {"schema": {"type": "string"}}},
        },
        **may_answer(400, 401, 403, 404, 406, 409, 413, 415, 503),
    },
)
async def start(stream: Stream, request: Request, capture: CaptureDep) -> Response:
    """Create a session for this viewer. The camera's preview is started if necessary."""
    camera_id = _camera(stream, capture)
    offer = await _text(request, SDP)
    try:
        if camera_id is None:
            session = await capture.sessions.start_panorama(OWNER)
        else:
            session = await capture.sessions.start(OWNER, camera_id)
    except (Refused, Failed) as error:
        if error.code not in _NOT_WATCHABLE:
            raise
        body = {"detail": error.message, "code": error.code}
        return answer(body, 409, {"Retry-After": str(RETRY_AFTER_S)})
    try:
        sdp = await capture.sessions.answer(session, offer)
    except TouchlineError as error:
        await capture.sessions.stop(session)
        if error.code not in _REFUSED_OFFERS:
            raise
        body = {"detail": error.message, "code": error.code}
        return answer(body, _REFUSED_OFFERS[error.code])
    headers = {
        "Location": f"{request.scope['path']}/{session.session_id}",
        "ETag": _tag(session),
        "Accept-Patch": FRAGMENT,
        "Cache-Control": "no-store",
    }
    response = Response(sdp, 201, headers, SDP)
    for link in _links(capture.sessions.ice_servers()):
        response.headers.append("Link", link)
    return response


@router.patch(
    "/{stream}/{session_id}",
    name="whep_session",
    operation_id="whep_add_candidates",
    summary="Add a viewer's ICE candidates (WHEP)",
    status_code=204,
    response_class=Response,
    dependencies=[NEEDS_KEY],
    openapi_extra=_body(FRAGMENT),
    responses={
        204: {"description": "The candidates are used from now on."},
        **may_answer(400, 401, 403, 404, 412, 413, 415, 503),
        422: {"description": "The fragment restarts ICE, which is not supported."},
    },
)
async def add_candidates(
    stream: Stream,
    session_id: SessionId,
    request: Request,
    capture: CaptureDep,
    if_match: IfMatch = None,
) -> Response:
    """Add ICE candidates that the viewer found after its offer."""
    session = _session(stream, session_id, capture)
    fragment = await _text(request, FRAGMENT)
    names = set(_values(fragment, "ice-ufrag"))
    if names - {session.ice_username}:
        raise HTTPException(422, "ICE restarts are not supported; start a new session")
    if if_match is not None and if_match.strip() not in {"*", _tag(session)}:
        raise HTTPException(412, "If-Match does not match the ICE session")
    candidates = list(_values(fragment, "candidate"))
    if len(candidates) > _MOST_CANDIDATES:
        raise HTTPException(400, f"The fragment has more than {_MOST_CANDIDATES} candidates")
    for candidate in candidates:
        try:
            await capture.sessions.candidate(session, candidate, 0)
        except Failed as error:
            if error.code != "bad_candidate":
                raise
            raise HTTPException(400, error.message) from error
    return Response(status_code=204)


@router.delete(
    "/{stream}/{session_id}",
    name="whep_session",
    operation_id="whep_stop",
    summary="Stop watching (WHEP)",
    response_class=Response,
    dependencies=[NEEDS_KEY],
    responses={
        200: {"description": "The session has ended.", "content": None},
        **may_answer(401, 403, 404, 503),
    },
)
async def stop(stream: Stream, session_id: SessionId, capture: CaptureDep) -> Response:
    """End the session."""
    await capture.sessions.stop(_session(stream, session_id, capture))
    return Response(status_code=200)


@router.get(
    "/{stream}",
    operation_id="whep_look",
    summary="Check a stream (WHEP)",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "The stream exists."}, **may_answer(404)},
)
async def look(stream: Stream, capture: CaptureDep) -> Response:
    """Check that the stream exists; it has no representation."""
    _camera(stream, capture)
    return Response(status_code=204)


@router.options(
    "/{stream}",
    operation_id="whep_options",
    summary="Get the options of a stream (WHEP)",
    response_class=Response,
    responses={
        200: {"description": "`Allow` and `Accept-Post` list what is accepted.", "content": None},
        **may_answer(404),
    },
)
async def options(stream: Stream, capture: CaptureDep) -> Response:
    """Return the methods and media types that are accepted."""
    _camera(stream, capture)
    return Response(status_code=200, headers={"Allow": _PATHS["endpoint"], "Accept-Post": SDP})


@router.get(
    "/{stream}/{session_id}",
    operation_id="whep_look_at_session",
    summary="Check a session (WHEP)",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "The session exists."}, **may_answer(404)},
)
async def look_at_session(stream: Stream, session_id: SessionId, capture: CaptureDep) -> Response:
    """Check that the session exists; it has no representation."""
    _session(stream, session_id, capture)
    return Response(status_code=204)


@router.options(
    "/{stream}/{session_id}",
    operation_id="whep_session_options",
    summary="Get the options of a session (WHEP)",
    response_class=Response,
    responses={
        200: {"description": "`Allow` and `Accept-Patch` list what is accepted.", "content": None},
        **may_answer(404),
    },
)
async def session_options(stream: Stream, session_id: SessionId, capture: CaptureDep) -> Response:
    """Return the methods and media types that are accepted."""
    _session(stream, session_id, capture)
    headers = {"Allow": _PATHS["session"], "Accept-Patch": FRAGMENT}
    return Response(status_code=200, headers=headers)


def _camera(stream: str, capture: Capture) -> int | None:
    """Return the camera's number; None for the panorama. Raises NotFound."""
    if stream == "panorama":
        return None
    named = _CAMERA.fullmatch(stream)
    if named is None or not capture.sessions.has_camera(int(named[1])):
        raise NotFound(f"Stream {stream} does not exist", code="stream_unknown")
    return int(named[1])


def _session(stream: str, session_id: str, capture: Capture) -> WebRtcSession:
    camera_id = _camera(stream, capture)
    try:
        session = capture.sessions.find(session_id, OWNER)
    except Refused:  # a WebSocket's session
        session = None
    if session is None or session.camera_id != camera_id:
        raise NotFound("Unknown session_id", code="unknown_session")
    return session


async def _text(request: Request, media_type: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        name = "Accept-Post" if media_type == SDP else "Accept-Patch"
        raise HTTPException(415, f"The body must be {media_type}", {name: media_type})
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise HTTPException(400, "The body is not UTF-8") from error


def _values(fragment: str, name: str) -> Iterator[str]:
    head = f"a={name}:"
    return (
        line.removeprefix(head).strip() for line in fragment.splitlines() if line.startswith(head)
    )


def _tag(session: WebRtcSession) -> str:
    """Return the entity tag of the session's ICE."""
    return f'"{session.ice_username}"'


def _links(servers: list[IceServer]) -> Iterator[str]:
    """Return STUN and TURN servers as header fields."""
    for server in servers:
        for url in server["urls"]:
            yield f'<{url}>; rel="ice-server"' + _credentials(server)


def _credentials(server: IceServer) -> str:
    if "username" not in server:
        return ""
    quoted = {
        name: str(server.get(name, "")).replace("\\", "\\\\").replace('"', '\\"')
        for name in ("username", "credential")
    }
    return (
        f'; username="{quoted["username"]}"; credential="{quoted["credential"]}"'
        '; credential-type="password"'
    )
