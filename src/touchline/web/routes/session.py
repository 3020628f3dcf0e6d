"""Routes for signing in with the key from a browser, which then uses a cookie."""

from __future__ import annotations

import logging

from fastapi import APIRouter, Request, Response

from touchline import __version__
from touchline.web.auth.auth import gate_of, has_key
from touchline.web.auth.cookies import drop_cookie, set_cookie
from touchline.web.http.answers import answer
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.models.session import SessionState, SignIn
from touchline.web.server.limits import client_address

log = logging.getLogger(__name__)

PATH = "/api/v1/session"

router = APIRouter(tags=["session"], responses=may_answer(500), route_class=Route)


@router.get(
    PATH,
    name="session",
    operation_id="get_session",
    summary="Get the session",
    response_model=SessionState,
)
async def get_session(request: Request) -> Response:
    """Return the access rights of the client."""
    return answer(_state(request, signed_in=has_key(request)))


@router.post(
    PATH,
    name="session",
    operation_id="sign_in",
    summary="Sign in",
    response_model=SessionState,
    responses=may_answer(400, 403, 413, 429),
)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Exchange the key for a session cookie, hidden from scripts and other sites."""
    gate, address = gate_of(request), client_address(request.scope)
    gate.sign_in(body.key, address)
    reply = answer(_state(request, signed_in=True))
    if gate.signer is not None:
        token = gate.signer.session(gate.sessions.begin())
        reply.headers["Set-Cookie"] = set_cookie(token, secure=_is_secure(request))
        log.info("A browser at %s signed in", address or "a local socket")
    return reply


@router.delete(
    PATH,
    name="session",
    operation_id="sign_out",
    summary="Sign out",
    response_model=SessionState,
)
async def sign_out(request: Request) -> Response:
    """End the session. Copies of its cookie become invalid."""
    gate = gate_of(request)
    for session_id in gate.session_ids(request.headers):
        await gate.sessions.end(session_id)
    reply = answer(_state(request, signed_in=gate.access.key is None))
    reply.headers["Set-Cookie"] = drop_cookie(secure=_is_secure(request))
    return reply


def _state(request: Request, *, signed_in: bool) -> SessionState:
    access = gate_of(request).access
    reads: bool = request.app.state.system.settings.auth.reads
    return {
        "key_needed": access.key is not None,
        "reads_need_key": access.key is not None and reads,
        "signed_in": signed_in,
        "version": __version__,
    }


def _is_secure(request: Request) -> bool:
    """Return whether the browser connected by TLS, if only to a proxy."""
    return "https" in (request.scope["scheme"], request.headers.get("x-forwarded-proto", ""))
