"""Limits on requests before routing: body size, paths and requests per address."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.foreign.numbers import whole
from touchline.ipc.attempts import network_of
from touchline.web.http.answers import answer
from touchline.web.http.errors import CodedError
from touchline.web.server.door import is_here

SLASH = "\0"
"""Replacement for an encoded slash in a path parameter."""

_ENCODED_SLASH = re.compile(rb"%2[fF]")
_STREAM = re.compile(rb"/streams/([^/?#]+)(|/[a-z-]+)")
_TOO_LARGE, _TOO_LARGE_CODE = "Request body too large", "body_too_large"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class PlainPaths:
    """Middleware that answers 404 to a path with an encoded slash or a control character.

    Nothing has such a name except streams, whose ids clients choose: an encoded slash in a stream's
    id is passed on as `SLASH`, which no other path contains. Decoded, a slash would lead to another
    path, and the redirect of a trailing slash and the end of a route's pattern misinterpret a
    newline.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            path = _resolve_path(scope)
            if path is None:
                await answer({"detail": "Not Found"}, 404)(scope, receive, send)
                return
            scope["path"] = path
        await self._app(scope, receive, send)


def _resolve_path(scope: Scope) -> str | None:
    """Return the path that routes see; None if it is not allowed."""
    path: str = scope["path"]
    if _CONTROLS.search(path) is not None:
        return None
    raw: bytes = scope.get("raw_path", b"")
    if _ENCODED_SLASH.search(raw) is None:
        return path
    found = _STREAM.fullmatch(raw)
    if found is None:
        return None
    stream_id = unquote_to_bytes(_ENCODED_SLASH.sub(SLASH.encode(), found[1]))
    return f"/streams/{stream_id.decode('utf-8', 'replace')}{found[2].decode('ascii')}"


def with_slashes(name: str) -> str:
    """Return a path parameter as its client wrote it."""
    return name.replace(SLASH, "/")


class AddressLimit:
    """Middleware that answers 429 to an address with too many requests; this machine is exempt.

    It sees clients as a trusted proxy passes them on, while the door sees only the proxy.
    """

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app = app
        self._most = most
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        address = client_address(scope)
        if scope["type"] != "http" or is_here(address, _own_address(scope)):
            await self._app(scope, receive, send)
            return
        network = network_of(address)
        if self._under_way[network] >= self._most:
            body = {"detail": "Too many requests from this address", "code": "too_many_requests"}
            await answer(body, 429, {"retry-after": "1"})(scope, receive, send)
            return
        self._under_way[network] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way[network] -= 1
            if not self._under_way[network]:
                del self._under_way[network]


def client_address(scope: Scope) -> str:
    """Return the client's address as a trusted proxy passes it on; empty for a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _own_address(scope: Scope) -> str:
    server = scope.get("server")
    return str(server[0]) if server else ""


class BodyLimit:
    """Middleware that answers 413 to a larger body, by announced or by actual length."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        framing = {name: value for name, value in scope["headers"] if name in _BODY_HEADERS}
        if not framing:  # no body at all
            await self._app(scope, receive, send)
            return
        announced = framing.get(b"content-length", b"0")
        # The HTTP parser has already refused a length that is not a number.
        length = whole(announced.decode("latin-1"))
        if length is None or length > self._max_bytes:
            body = {"detail": _TOO_LARGE, "code": _TOO_LARGE_CODE}
            await answer(body, 413, {"connection": "close"})(scope, receive, send)
            return
        taken_bytes = 0

        async def counted() -> Message:
            nonlocal taken_bytes
            message = await receive()
            taken_bytes += len(message.get("body", b""))
            if taken_bytes > self._max_bytes:
                raise CodedError(
                    413, _TOO_LARGE, code=_TOO_LARGE_CODE, headers={"connection": "close"}
                )
            return message

        await self._app(scope, counted, send)
