"""The dashboard: built files, held in memory in compressed form and sent like that.

`dashboard/` builds them into `static`. A file under `assets/` has its hash in its name and is
cached by browsers without limit; the page itself is revalidated each time.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = Path(__file__).parents[1] / "static"
PAGE = "index.html"

_Endpoint = Callable[[Request], Awaitable[Response]]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_CODINGS = {".br": "br", ".gz": "gzip"}
_UNPACKED_AT_ONCE = 2
"""Files decompressed at once, for programs that accept no compression."""
_POLICY = "; ".join(  # noqa: FLY002  (one source a line)
    (
        "default-src 'self'",
        # Dialog and chart libraries set inline styles.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'{sockets}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


_HOST = re.compile(
    r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE
)


def content_policy(host: str) -> str:
    """Return the content security policy: own host only, WebSockets included.

    In current browsers `'self'` covers WebSockets; older ones need the host name that the browser
    used, also behind a proxy.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return _POLICY.format(sockets=sockets)


@dataclass(frozen=True)
class StaticFile:
    """A built file in each available encoding."""

    forms: Mapping[str, bytes]  # by content coding; "" is uncompressed
    media_type: str
    etag: str
    lasting: bool
    unpacking: CapacityLimiter

    async def response(self, request: Request) -> Response:
        """Return the smallest encoding that the browser accepts; 304 if it has the file."""
        taken = {
            part.partition(";")[0].strip()
            for part in request.headers.get("accept-encoding", "").split(",")
        }
        coding = next((c for c in ("br", "gzip") if c in self.forms and c in taken), "")
        headers = {
            "ETag": self.etag,
            "Vary": "Accept, Accept-Encoding",
            "Cache-Control": "public, max-age=31536000, immutable" if self.lasting else "no-cache",
            "X-Content-Type-Options": "nosniff",
        }
        if self.media_type.startswith("text/html"):
            policy = content_policy(request.headers.get("host", ""))
            headers |= {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
        if coding:
            headers["Content-Encoding"] = coding
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        content = self.forms.get(coding)
        if content is None:  # a program that accepts no compression
            content = await to_thread.run_sync(
                gzip.decompress, self.forms["gzip"], limiter=self.unpacking
            )
        return Response(content, headers=headers, media_type=self.media_type)


def load(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """Load the built files by path; empty if the dashboard was not built. Blocks."""
    found: dict[str, StaticFile] = {}
    unpacking = CapacityLimiter(_UNPACKED_AT_ONCE)
    for path in sorted(folder.rglob("*")):
        media_type = _TYPES.get(path.suffix)
        if media_type is None or not path.is_file():
            continue
        content = path.read_bytes()
        compressed = {
            coding: packed.read_bytes()
            for suffix, coding in _CODINGS.items()
            if (packed := path.with_name(path.name + suffix)).is_file()
        }
        forms = compressed if "gzip" in compressed else {"": content}
        name = path.relative_to(folder).as_posix()
        digest = hashlib.sha256(content).hexdigest()[:24]
        lasting = name.startswith("assets/")
        found[name] = StaticFile(forms, media_type, f'"{digest}"', lasting, unpacking)
    return found


def routes(files: Mapping[str, StaticFile]) -> APIRouter:
    """Return a route for each file except the page, which shares its path with the API."""
    router = APIRouter()
    for name, file in files.items():
        if name != PAGE:
            router.routes.append(_Plain(f"/{name}", _sender(file), "dashboard"))
    for path in ("/panel", "/panel/{rest:path}"):  # the dashboard of the earlier system
        router.routes.append(_Plain(path, _to_the_dashboard, "panel"))
    return router


class _Plain(Route):
    """A GET-only route that is not part of the API's description."""

    def __init__(self, path: str, endpoint: _Endpoint, name: str) -> None:
        super().__init__(path, endpoint, methods=["GET"], name=name, include_in_schema=False)
        self.methods = {"GET"}  # Starlette would add HEAD, which the API's own routes do not have


def is_old(path: str) -> bool:
    """Return whether the earlier system served its dashboard at this path."""
    return path == "/panel" or path.startswith("/panel/")


async def _to_the_dashboard(_: Request) -> Response:
    return Response(status_code=307, headers={"Location": "/"})


def open_paths(files: Mapping[str, StaticFile]) -> frozenset[str]:
    """Return the paths that must be accessible without signing in."""
    return frozenset(f"/{name}" for name in files)


class Page:
    """Middleware that serves the dashboard to browsers at `/`; programs get the service's JSON."""

    def __init__(self, app: ASGIApp, *, page: StaticFile) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET":
            request = Request(scope)
            if "text/html" in request.headers.get("accept", ""):
                response = await self._page.response(request)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _sender(file: StaticFile) -> _Endpoint:
    async def send(request: Request) -> Response:
        return await file.response(request)

    return send
