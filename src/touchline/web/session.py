"""Signing in with the key, for browsers: from then on a cookie says who asks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from touchline import __version__
from touchline.web.answers import answer
from touchline.web.auth import Access, has_key
from touchline.web.cookies import drop_cookie, set_cookie
from touchline.web.errors import may_answer
from touchline.web.models.session import SessionState, SignIn

PATH = "/api/v1/session"

router = APIRouter(tags=["session"], responses=may_answer(500))


@router.get(
    PATH,
    name="session",
    operation_id="get_session",
    summary="Whether one is signed in",
    response_model=SessionState,
)
async def get_session(request: Request) -> Response:
    """What whoever asks may do."""
    return answer(_state(request, signed_in=has_key(request)))


@router.post(
    PATH,
    name="session",
    operation_id="sign_in",
    summary="Sign in",
    response_model=SessionState,
    responses=may_answer(400, 403, 413),
)
async def sign_in(request: Request, body: SignIn) -> Response:
    """Exchange the key for a cookie that scripts cannot read and other sites cannot use."""
    access: Access = request.app.state.access
    access.demand(body.key)
    reply = answer(_state(request, signed_in=True))
    cookies = access.cookies
    if cookies is not None:
        reply.headers["Set-Cookie"] = set_cookie(cookies.new(), secure=_is_secure(request))
    return reply


@router.delete(
    PATH,
    name="session",
    operation_id="sign_out",
    summary="Sign out",
    response_model=SessionState,
)
async def sign_out(request: Request) -> Response:
    """Forget the cookie in this browser."""
    access: Access = request.app.state.access
    reply = answer(_state(request, signed_in=access.key is None))
    reply.headers["Set-Cookie"] = drop_cookie(secure=_is_secure(request))
    return reply


def _state(request: Request, *, signed_in: bool) -> dict[str, object]:
    access: Access = request.app.state.access
    reads: bool = request.app.state.system.settings.auth.reads
    return {
        "key_needed": access.key is not None,
        "reads_need_key": access.key is not None and reads,
        "signed_in": signed_in,
        "version": __version__,
    }


def _is_secure(request: Request) -> bool:
    """Whether the browser came by TLS, at a proxy at the latest."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
