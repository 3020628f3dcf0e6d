"""Let requests in: by the key, by a session, and to media also by a password or a signed link.

What a route asks for is a dependency: `NEEDS_KEY`, `MEDIA` for what players open, `PRIVATE` and
`PRIVATE_MEDIA` for reads that are open on loopback alone.
"""

from __future__ import annotations

import base64
import binascii
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, APIKeyQuery, HTTPBasic, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from touchline.core.storm import Storm
from touchline.ipc.attempts import Attempts
from touchline.web.auth.access import Access
from touchline.web.auth.cookies import cookies_in
from touchline.web.auth.medialinks import PARAMETER, media_scope, signatures_in
from touchline.web.http.errors import Unauthorized, refusal
from touchline.web.http.methods import SAFE_METHODS
from touchline.web.server.limits import client_address

if TYPE_CHECKING:
    from touchline.core.events.log import EventLog
    from touchline.web.auth.sessions import Session, Sessions
    from touchline.web.auth.signing import Signer

log = logging.getLogger(__name__)

BEARER = "Bearer"
BASIC = 'Basic realm="touchline", charset="UTF-8"'
AUDIT_EVERY_S = 600.0
"""One event about wrong keys in so long, however many addresses try them."""

_LINK_REFUSED = {
    "expired": "This link has expired; request a new one",
    "ageless": "This link was created before a restart and its age is unknown; request a new one",
    "wrong": "This link is not valid for this path",
}


@dataclass(frozen=True)
class Grant:
    """By what a request was let in, with the session or the link where it was one of these."""

    by: Literal["open", "key", "session", "password", "link"]
    session: Session | None = None
    signature: str | None = None


class Gate:
    """Applies the rules of this server to requests. Belongs to the event loop."""

    def __init__(
        self,
        access: Access,
        *,
        sessions: Sessions,
        signer: Signer | None,
        events: EventLog,
        attempts: Attempts,
    ) -> None:
        """`signer` is None where there is no key."""
        self.access = access
        self.sessions = sessions
        self.signer = signer
        self._watch = KeyWatch(attempts, events)

    def admit(self, scope: Scope) -> Grant:
        """Return by what a request is let in. Raises Unauthorized."""
        if self.access.key is None:
            return Grant("open")
        headers = Headers(scope=scope)
        given = key_in(headers)
        if given is not None:
            if not self.access.admits(given):
                self._watch.wrong(client_address(scope))
                raise Unauthorized(403, "invalid token")
            return Grant("key")
        session = self._session_of(headers, scope.get("method", "GET"))
        if session is None:
            raise Unauthorized(401, "missing bearer token", challenges=(BEARER,))
        return Grant("session", session=session)

    def admit_media(self, scope: Scope) -> Grant:
        """Return by what a request for media is let in. Raises Unauthorized.

        A player that knows no headers may send the key as the password of HTTP Basic, under any
        name, or open a signed link.
        """
        headers = Headers(scope=scope)
        if self.access.key is None or key_in(headers) is not None:
            return self.admit(scope)
        session = self._session_of(headers, "GET")
        if session is not None:
            return Grant("session", session=session)
        signatures = signatures_in(str(scope["query_string"], "latin-1"))
        if signatures:
            return self._admit_link(scope, signatures)
        challenges = (BEARER, BASIC) if _wants_password(headers) else (BEARER,)
        password = password_in(headers)
        if password is None:
            raise Unauthorized(401, "missing bearer token", challenges=challenges)
        if not self.access.admits(password):
            self._watch.wrong(client_address(scope))
            raise Unauthorized(
                401, "wrong password: the key is the password, under any name", challenges=(BASIC,)
            )
        return Grant("password")

    def sign_in(self, given: str, address: str) -> None:
        """Return where the server is open or `given` is its key. Raises Unauthorized.

        A right key is never kept waiting, whoever else guesses from its address.
        """
        if not self.access.admits(given):
            wait_s = math.ceil(self._watch.wrong(address))
            if wait_s == 0:
                raise Unauthorized(403, "invalid token", code="wrong_key")
            raise Unauthorized(
                429,
                f"Too many wrong keys from this address; retry in {wait_s} s",
                code="too_many_attempts",
                headers={"Retry-After": str(wait_s), "Connection": "close"},
            )

    def _session_of(self, headers: Headers, method: str) -> Session | None:
        # A browser sends its cookies along with what pages of others ask for. `Guard` has refused
        # origins that are not ours; what changes something has to come from a page that names one.
        from_page = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
        if method not in SAFE_METHODS and not from_page:
            return None
        found = (self.sessions.find(session_id) for session_id in self.session_ids(headers))
        return next((session for session in found if session is not None), None)

    def session_ids(self, headers: Headers) -> list[str]:
        """Return the sessions whose cookies a request brings, over or not."""
        if self.signer is None:
            return []
        ids = (self.signer.session_id(token) for token in cookies_in(headers))
        return [session_id for session_id in ids if session_id is not None]

    def _admit_link(self, scope: Scope, signatures: list[str]) -> Grant:
        opens = media_scope(scope["path"], str(scope["query_string"], "latin-1"))
        state = "wrong"
        if self.signer is not None and opens is not None and len(signatures) == 1:
            state = self.signer.link_state(opens, signatures[0])
        if state != "valid":
            code = "link_invalid" if state == "wrong" else "link_expired"
            raise Unauthorized(403, _LINK_REFUSED[state], code=code)
        return Grant("link", signature=signatures[0])


class KeyWatch:
    """Notices who tries wrong keys: pauses for the address, a line in the log, one event."""

    def __init__(self, attempts: Attempts, events: EventLog) -> None:
        self._attempts = attempts
        self._events = events
        self._storm = Storm(log, "Wrong keys")
        self._audited_s = -math.inf

    def wrong(self, address: str) -> float:
        """Count a wrong key; returns the seconds for which the address has to wait already."""
        pause_s = self._attempts.pause_s(address)
        if pause_s <= 0:
            failure = self._attempts.failed(address)
            if failure.begins_storm:
                self._audit(address, failure.count)
        self._storm.note(f"the last from {address or 'a local socket'}")
        return pause_s

    def _audit(self, address: str, count: int) -> None:
        now_s = self._attempts.now_s()
        if now_s - self._audited_s < AUDIT_EVERY_S:
            return
        self._audited_s = now_s
        message = (
            f"{count} wrong keys from {address or 'a local socket'}; further attempts are delayed"
        )
        self._events.record("system", "warning", message, address=address, attempts=count)


def gate_of(request: Request) -> Gate:
    """Return the gate of the application that serves a request."""
    gate: Gate = request.app.state.gate
    return gate


class _ToldBearer(HTTPBearer):
    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing: it is for the schema."""


class _ToldBasic(HTTPBasic):
    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Nothing: it is for the schema."""


_KEY = "The server's API key."
_bearer = _ToldBearer(auto_error=False, scheme_name="bearer", description=_KEY)
_header = APIKeyHeader(name="X-API-KEY", auto_error=False, scheme_name="key", description=_KEY)
_basic = _ToldBasic(
    auto_error=False, scheme_name="basic", description="The API key as password, any user name."
)
_link = APIKeyQuery(
    name=PARAMETER,
    auto_error=False,
    scheme_name="link",
    description="Signature of the path, created by `POST /api/v1/links`.",
)

_Bearer = Annotated[None, Security(_bearer)]
_Header = Annotated[str | None, Security(_header)]
_Basic = Annotated[None, Security(_basic)]
_Link = Annotated[str | None, Security(_link)]


async def _require_key(request: Request, bearer: _Bearer, header: _Header) -> None:
    del bearer, header  # they are for the schema
    gate_of(request).admit(request.scope)


async def _require_media(
    request: Request, bearer: _Bearer, header: _Header, basic: _Basic, link: _Link
) -> None:
    del bearer, header, basic, link
    request.state.grant = gate_of(request).admit_media(request.scope)


# Not in the schema: where only this machine reaches the server, these reads are open to it.
async def _require_key_on_network(request: Request) -> None:
    gate = gate_of(request)
    if gate.access.on_network:
        gate.admit(request.scope)


async def _require_media_on_network(request: Request) -> None:
    gate = gate_of(request)
    if gate.access.on_network:
        gate.admit_media(request.scope)


NEEDS_KEY = Depends(_require_key)
"""For the `dependencies` of every route that writes."""

MEDIA = Depends(_require_media)
"""For every route that hands out pictures, footage or files: players open them."""

PRIVATE = Depends(_require_key_on_network)
"""For reads that need the key where there is one and others than this machine reach the server."""

PRIVATE_MEDIA = Depends(_require_media_on_network)
"""The same for what players open."""


def signature_of(request: Request) -> str | None:
    """Return the signature that a request for media was let in by; None where it was not one."""
    grant: Grant = request.state.grant
    return grant.signature


def has_key(request: Request) -> bool:
    """Whether a request may see what is not for everybody."""
    try:
        gate_of(request).admit(request.scope)
    except Unauthorized:
        return False
    return True


class ClosedReads:
    """Demands the key for every read, but of whether the server is alive and ready.

    `is_open` says of a path whether it is needed before anybody can sign in.
    """

    OPEN = frozenset({"/health", "/health/ready"})

    def __init__(self, app: ASGIApp, *, gate: Gate, is_open: Callable[[str], bool]) -> None:
        self._app = app
        self._gate = gate
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"]
        if scope["type"] == "http" and not (
            path in self.OPEN or self._is_open(path) or _is_preflight(scope)
        ):
            try:
                if media_scope(path, "") is None:
                    self._gate.admit(scope)
                else:
                    self._gate.admit_media(scope)
            except Unauthorized as error:
                await refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    """Whether a browser asks what it may ask: it sends no credentials then, by design."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names


def key_in(headers: Headers) -> str | None:
    """Return the key that a request brings in one of the two headers."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    return headers.get("x-api-key")


def password_in(headers: Headers) -> str | None:
    """Return the password of HTTP Basic, which browsers and players send in UTF-8."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    name, colon, password = text.partition(b":")
    del name
    return password.decode("utf-8", "surrogateescape") if colon else None


def _wants_password(headers: Headers) -> bool:
    """Whether whoever asks can do something with a challenge for a password.

    Browsers would open a window of their own over the dashboard for each picture; they are asked
    only where a person opens the address itself.
    """
    if cookies_in(headers):
        return False
    is_browser = headers.get("user-agent", "").startswith("Mozilla/")
    return not is_browser or "text/html" in headers.get("accept", "")
