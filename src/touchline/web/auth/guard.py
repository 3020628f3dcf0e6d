"""Protection against pages of other sites that use a visitor's browser to reach this server."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.listen import is_loopback
from touchline.web.http.answers import answer
from touchline.web.http.methods import SAFE_METHODS

_HOST = re.compile(r"(?:\[([^\[\]]{2,80})\]|([^\[\]:/?#@\s]{1,253}))(?::[0-9]{0,5})?")


class Guard:
    """Middleware that blocks requests made by other sites' pages through a visitor's browser.

    A host name that resolves to this machine but is not configured (DNS rebinding) is refused, and
    so is a write from a page of another origin. A WebSocket carries writes and counts as one.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str] | None, origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] in {"http", "websocket"}:
            host = _raw_header(scope, b"host") or ""
            if not self._accepts_host(host):
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

    def _accepts_host(self, host: str) -> bool:
        # No Host means HTTP/1.0: not a browser, and so not a page of another site.
        if self._hosts is None or not host:
            return True
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = (found[1] or found[2]).lower()
        return name in self._hosts or is_loopback(name)

    def _is_ours(self, origin: str, host: str) -> bool:
        if origin in self._origins:
            return True
        # Without the scheme, which differs behind a proxy that terminates TLS.
        scheme, mark, there = origin.partition("://")
        return bool(scheme and mark and host) and there.lower() == host.lower()


class SameOriginMedia:
    """Middleware that stops other sites' pages from embedding an open server's images and videos.

    Without a key nothing else would: such a page needs no permission to embed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"cross-origin-resource-policy", b"same-origin")
                message["headers"] = [*message.get("headers", ()), policy]
            await send(message)

        await self._app(scope, receive, marked)


def _raw_header(scope: Scope, name: bytes) -> str | None:
    """Return a header's first value without creating an object for all headers."""
    for found, value in scope["headers"]:
        if found == name:
            return str(value, "latin-1")
    return None
