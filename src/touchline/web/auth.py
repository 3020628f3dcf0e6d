"""Who may write and read files, decided once when the server starts.

On loopback without a key everything is open, as the contract describes it; `Guard` then keeps web
pages of other sites out. With a key, or on a network, writes and files need the key.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from touchline.core.errors import Failed
from touchline.web.answers import answer
from touchline.web.cookies import SignedCookies, cookie_in

if TYPE_CHECKING:
    from touchline.settings import Settings

log = logging.getLogger(__name__)

KEY_FILE = "api_key"
_KEY_BYTES = 32
_KNOWN_HOSTS = 256
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Access:
    """The rules of this server: without a `key` it is open, without `hosts` it has any name."""

    key: str | None
    hosts: frozenset[str] | None

    def admits(self, given: str) -> bool:
        """Whether `given` is the key; takes the same time for every wrong one."""
        return self.key is None or hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), self.key.encode("utf-8", "surrogateescape")
        )

    @property
    def cookies(self) -> SignedCookies | None:
        """What makes and knows this server's session cookies; None where it is open."""
        return None if self.key is None else SignedCookies(self.key)

    def demand_of(self, headers: Headers, method: str) -> None:
        """Return where the server is open, or the request brings the key or a session of ours.

        Raises HTTPException otherwise.
        """
        if self.key is None:
            return
        given = key_in(headers)
        if given is None and self._is_session(headers, method):
            return
        self.demand(given)

    def _is_session(self, headers: Headers, method: str) -> bool:
        token = cookie_in(headers)
        if token is None or self.cookies is None or not self.cookies.knows(token):
            return False
        # A browser sends its cookies along with what pages of others ask for. `Guard` has refused
        # origins that are not ours; what changes something has to come from a page that names one.
        from_page = "origin" in headers or headers.get("sec-fetch-site") == "same-origin"
        return method in SAFE_METHODS or from_page

    def demand(self, given: str | None) -> None:
        """Return where the server is open or `given` is its key; raises HTTPException otherwise."""
        if self.key is None:
            return
        if given is None:
            raise HTTPException(401, "missing bearer token", {"WWW-Authenticate": "Bearer"})
        if not self.admits(given):
            raise HTTPException(403, "invalid token")


def decide_access(settings: Settings) -> Access:
    """The rules that follow from the settings; a key that is needed but not set is made.

    Raises Failed where that key cannot be kept.
    """
    mode = settings.auth.mode
    secret = settings.auth.api_key
    if mode == "none":
        log.warning(
            "AUTHENTICATION IS OFF (auth.mode = none): anyone who reaches %s:%d may record, stop, "
            "delete and download",
            settings.host,
            settings.port,
        )
        return Access(key=None, hosts=None)
    if secret is not None and secret.get_secret_value():
        return Access(key=secret.get_secret_value(), hosts=None)
    if mode == "auto" and is_loopback(settings.host):
        log.info("No API key is set: whoever is on this machine may do everything")
        return Access(key=None, hosts=frozenset({"localhost", settings.host.lower()}))
    path = settings.data_dir / KEY_FILE
    try:
        return Access(key=_kept_key(path), hosts=None)
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(
            f"The API key in {path} cannot be used: {error}", code="api_key_unusable"
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _kept_key(path: Path) -> str:
    try:
        kept = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        kept = ""
    if kept:
        log.info("Writes and downloads need the API key in %s", path)
        return kept
    made = secrets.token_urlsafe(_KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a crash never leaves half a key that would then be the key.
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{made}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    # Once, to whoever starts the server; the log, which is copied to others, has the place alone.
    sys.stderr.write(f"The API key is {made}\nIt is kept in {path} and is not shown again.\n")
    log.warning("An API key was made, because this server is not on loopback; it is in %s", path)
    return made


_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="The server's API key.")
_header = APIKeyHeader(
    name="X-API-KEY", auto_error=False, scheme_name="key", description="The server's API key."
)


async def _require_key(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    header: Annotated[str | None, Security(_header)],
) -> None:
    del bearer, header  # they are for the schema
    access: Access = request.app.state.access
    access.demand_of(request.headers, request.method)


NEEDS_KEY = Depends(_require_key)
"""For the `dependencies` of every route that writes or hands out files."""


def has_key(request: Request) -> bool:
    """Whether a request may see what is not for everybody."""
    access: Access = request.app.state.access
    try:
        access.demand_of(request.headers, request.method)
    except HTTPException:
        return False
    return True


class ClosedReads:
    """Demands the key for every read, but of whether the server is alive and ready.

    `open_paths` are those in addition by which a person signs in.
    """

    OPEN = frozenset({"/health", "/health/ready"})

    def __init__(self, app: ASGIApp, *, access: Access, open_paths: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._open = self.OPEN | open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] not in self._open:
            try:
                self._access.demand_of(Headers(scope=scope), scope["method"])
            except HTTPException as error:
                headers = dict(error.headers or {})
                await answer({"detail": error.detail}, error.status_code, headers)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def key_in(headers: Headers) -> str | None:
    """The key that a WebSocket's handshake brings, where the routes would look for it."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    return headers.get("x-api-key")


class Guard:
    """Keeps other sites' pages from using a visitor's browser against this server.

    A name that resolves to this machine but is none of ours (DNS rebinding) is not answered, and a
    write that a page of another origin sends is refused. A WebSocket carries writes, so it is one.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str] | None, origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(origins)
        self._answers_to = lru_cache(_KNOWN_HOSTS)(self._checked_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] in {"http", "websocket"}:
            host = _raw_header(scope, b"host") or ""
            if not self._answers_to(host):
                body = {"detail": "Invalid host header", "code": "invalid_host"}
                await answer(body, 400)(scope, receive, send)
                return
            origin = _raw_header(scope, b"origin")
            foreign = origin is not None and not self._is_ours(origin, host)
            if foreign and scope.get("method") not in SAFE_METHODS:
                body = {"detail": "Request from another site refused", "code": "cross_origin"}
                await answer(body, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _checked_host(self, host: str) -> bool:
        # No Host at all is HTTP/1.0: no browser, and so no page of another site.
        if self._hosts is None or not host:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or is_loopback(name)

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self._origins:
            return True
        try:
            # Without the scheme: behind a proxy that ends TLS the browser's is not ours.
            return urlsplit(origin).netloc.lower() == host.lower() != ""
        except ValueError:
            return False


def _raw_header(scope: Scope, name: bytes) -> str | None:
    """A header's first value, without making an object of all of them."""
    for found, value in scope["headers"]:
        if found == name:
            return str(value, "latin-1")
    return None
