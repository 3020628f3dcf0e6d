"""Authentication of requests by key or session, and of media also by password or signed link.

Routes declare their needs as a dependency: `NEEDS_KEY`, `MEDIA` for what players open, `PRIVATE`
and `PRIVATE_MEDIA` for reads that are open on loopback only.
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
    from touchline.web.auth.sessions import BrowserSession, BrowserSessions
    from touchline.web.auth.signing import Signer

log = logging.getLogger(__name__)

BEARER = "Bearer"
BASIC = 'Basic realm="touchline", charset="UTF-8"'
AUDIT_EVERY_S = 600.0
"""Minimum interval between events about wrong keys, for all addresses together."""

_LINK_REFUSED = {
    "expired": "This link has expired; request a new one",
    "ageless": "This link was created before a restart and its age is unknown; request a new one",
    "wrong": "This link is not valid for this path",
}


@dataclass(frozen=True)
class Grant:
    """Result of authentication: the method, and the session or link if one was used."""

    by: Literal["open", "key", "session", "password", "link"]
    session: BrowserSession | None = None
    signature: str | None = None


class Authenticator:
    """Access control for requests, by the rules of this server."""

    def __init__(
        self,
        access: Access,
        *,
        sessions: BrowserSessions,
        signer: Signer | None,
        events: EventLog,
        attempts: Attempts,
    ) -> None:
        """Create the authenticator; `signer` is None without a key."""
        self.access = access
        self.sessions = sessions
        self.signer = signer
        self._watch = KeyWatch(attempts, events)

    def admit(self, scope: Scope) -> Grant:
        """Authenticate a request. Raises Unauthorized."""
        if self.access.key is None:
            return Grant("open")
        headers = Headers(scope=scope)
        given = key_in(headers)
        if given is not None:
            if not self.access.accepts_key(given):
                self._watch.count_wrong_key(client_address(scope))
                raise Unauthorized(403, "invalid token")
            return Grant("key")
        session = self._session_of(headers, scope.get("method", "GET"))
        if session is None:
            raise Unauthorized(401, "missing bearer token", challenges=(BEARER,))
        return Grant("session", session=session)

    def admit_media(self, scope: Scope) -> Grant:
        """Authenticate a request for media. Raises Unauthorized.

        A player that cannot send the key as a header may send it as the password of HTTP Basic,
        under any user name, or open a signed link.
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
        if not self.access.accepts_key(password):
            self._watch.count_wrong_key(client_address(scope))
            raise Unauthorized(
                401, "wrong password: the key is the password, under any name", challenges=(BASIC,)
            )
        return Grant("password")

    def sign_in(self, given: str, address: str) -> None:
        """Check a key given for signing in; an open server accepts any. Raises Unauthorized.

        A correct key is never delayed, regardless of wrong attempts from the same address.
        """
        if not self.access.accepts_key(given):
            wait_s = math.ceil(self._watch.count_wrong_key(address))
            if wait_s == 0:
                raise Unauthorized(403, "invalid token", code="wrong_key")
            raise Unauthorized(
                429,
                f"Too many wrong keys from this address; retry in {wait_s} s",
                code="too_many_attempts",
                headers={"Retry-After": str(wait_s), "Connection": "close"},
            )

    def _session_of(self, headers: Headers, method: str) -> BrowserSession | None:
        # Browsers send cookies with requests of other sites' pages too. `Guard` has refused foreign
        # origins; a request that changes data must also name its origin or be marked as
        # same-origin.
        from_page = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
        if method not in SAFE_METHODS and not from_page:
            return None
        found = (self.sessions.find(session_id) for session_id in self.session_ids(headers))
        return next((session for session in found if session is not None), None)

    def session_ids(self, headers: Headers) -> list[str]:
        """Return the sessions whose cookies a request carries, including ended ones."""
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
    """Detection of wrong keys: delays for the address, a log line and one event."""

    def __init__(self, attempts: Attempts, events: EventLog) -> None:
        self._attempts = attempts
        self._events = events
        self._storm = Storm(log, "Wrong keys")
        self._audited_s = -math.inf

    def count_wrong_key(self, address: str) -> float:
        """Count a wrong key; return the seconds that the address already has to wait."""
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


def gate_of(request: Request) -> Authenticator:
    """Return the authenticator of the application that serves the request."""
    gate: Authenticator = request.app.state.gate
    return gate


class _DocumentedBearer(HTTPBearer):
    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Accept every request: the class only adds to the schema."""


class _DocumentedBasic(HTTPBasic):
    async def __call__(self, request: Request) -> None:  # type: ignore[override]
        """Accept every request: the class only adds to the schema."""


_KEY = "The server's API key."
_bearer = _DocumentedBearer(auto_error=False, scheme_name="bearer", description=_KEY)
_header = APIKeyHeader(name="X-API-KEY", auto_error=False, scheme_name="key", description=_KEY)
_basic = _DocumentedBasic(
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
    del bearer, header  # only for the schema
    gate_of(request).admit(request.scope)


async def _require_media(
    request: Request, bearer: _Bearer, header: _Header, basic: _Basic, link: _Link
) -> None:
    del bearer, header, basic, link
    request.state.grant = gate_of(request).admit_media(request.scope)


# Not in the schema: these reads are open if only this machine reaches the server.
async def _require_key_on_network(request: Request) -> None:
    gate = gate_of(request)
    if gate.access.on_network:
        gate.admit(request.scope)


async def _require_media_on_network(request: Request) -> None:
    gate = gate_of(request)
    if gate.access.on_network:
        gate.admit_media(request.scope)


NEEDS_KEY = Depends(_require_key)
"""Dependency of every route that writes."""

MEDIA = Depends(_require_media)
"""Dependency of every route that serves pictures, footage or files, for players."""

PRIVATE = Depends(_require_key_on_network)
"""Dependency of reads that need the key, if there is one and other machines reach the server."""

PRIVATE_MEDIA = Depends(_require_media_on_network)
"""Like `PRIVATE`, for routes that players open."""


def signature_of(request: Request) -> str | None:
    """Return the signature that authenticated a request for media; None if it used none."""
    grant: Grant = request.state.grant
    return grant.signature


def has_key(request: Request) -> bool:
    """Return whether a request may see data that requires the key."""
    try:
        gate_of(request).admit(request.scope)
    except Unauthorized:
        return False
    return True


class ClosedReads:
    """Middleware that requires the key for every read except liveness and readiness.

    `is_open` says whether a path is needed before signing in.
    """

    OPEN = frozenset({"/health", "/health/ready"})

    def __init__(
        self, app: ASGIApp, *, gate: Authenticator, is_open: Callable[[str], bool]
    ) -> None:
        self._app = app
        self._gate = gate
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
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
    """Return whether this is a CORS preflight, which never carries credentials."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names


def key_in(headers: Headers) -> str | None:
    """Return the key that a request carries in one of the two headers."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    return headers.get("x-api-key")


def password_in(headers: Headers) -> str | None:
    """Return the password of HTTP Basic, which browsers and players encode in UTF-8."""
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
    """Return whether the client can use a challenge for a password.

    Browsers would open a dialog over the dashboard for each picture; they are only challenged if a
    person opens the address itself.
    """
    if cookies_in(headers):
        return False
    is_browser = headers.get("user-agent", "").startswith("Mozilla/")
    return not is_browser or "text/html" in headers.get("accept", "")
