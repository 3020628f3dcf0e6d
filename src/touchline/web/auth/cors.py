"""What pages of configured origins may ask and read (CORS).

It stands outside authentication: a preflight brings no credentials, and a page can only read why
it was refused where the refusal names its origin.
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
    """Let pages of `origins` ask and read everything that programs may, without cookies."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=RESPONSE_HEADERS,
    )
