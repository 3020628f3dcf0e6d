"""Pre-encoded responses with a version, and headers for stale ones."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastapi import Request, Response

from touchline.web.http.answers import MEDIA_TYPE
from touchline.web.http.deps import system_of

if TYPE_CHECKING:
    from touchline.engines import Body, Engines


class CachedAnswers:
    """Sender of bytes with their version as ETag, or 304 if the client has that version."""

    def __init__(self) -> None:
        # Versions restart with each server: a tag of an earlier one must not match.
        self._boot = secrets.token_hex(4)
        self.hits = 0
        self.misses = 0

    def reset(self) -> None:
        """Set the counters to zero."""
        self.hits = self.misses = 0

    def send(self, request: Request, kind: str, body: Body, engines: Engines) -> Response:
        """Return the response to a read of `kind`."""
        tag = f'"{self._boot}-{kind}-{body.version}"'
        headers = {"etag": tag, "cache-control": "no-cache", **stale_headers(engines)}
        if _has(request, tag):
            self.hits += 1
            return Response(status_code=304, headers=headers)
        self.misses += 1
        return Response(body.content, headers=headers, media_type=MEDIA_TYPE)


def stale_headers(engines: Engines) -> Mapping[str, str]:
    """Return headers with the age of the data while the runtime is unreachable (RFC 9111)."""
    stale_s = engines.stale_s()
    if stale_s is None:
        return {}
    return {
        "age": str(int(stale_s)),
        "warning": '110 - "Response is Stale"',
        "x-touchline-stale-seconds": f"{stale_s:.3f}",
    }


def get_cached_answers(request: Request) -> CachedAnswers:
    """Return the sender of this application."""
    answers: CachedAnswers = request.app.state.cached_answers
    return answers


def engines_of(request: Request) -> Engines:
    """Return the engines half of the system that this application serves."""
    return system_of(request).engines


def _has(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag in tags or "*" in tags
