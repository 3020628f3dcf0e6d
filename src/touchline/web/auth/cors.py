"""Requests and responses allowed to pages of configured origins (CORS).

It wraps authentication: a preflight carries no credentials, and a page can only read why it was
refused if the refusal names its origin.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "X-API-KEY",
    "Accept",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Pragma",
    "Range",
    "X-Requested-With",
)
RESPONSE_HEADERS = (
    "Accept-Patch",
    "Accept-Post",
    "Accept-Ranges",
    "Allow",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
)


def make_cors(app: FastAPI, origins: Sequence[str]) -> None:
    """Allow pages of `origins` everything that programs may request and read, without cookies."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=RESPONSE_HEADERS,
    )
