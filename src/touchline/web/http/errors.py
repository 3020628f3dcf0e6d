"""Error responses: one table, one format, and no internals of the server.

Every error is `{"detail": …}` according to the contract. Errors caused by a rule or a caller keep
their message; an unexpected error is reported as an id that is logged with the traceback.
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.core.errors import Blocked, Failed, Invalid, NotFound, Refused, TouchlineError
from touchline.web.http.answers import answer, plain
from touchline.web.models.errors import BlockedBody, ErrorBody, InvalidItem

log = logging.getLogger(__name__)

STATUS_BY_CLASS: tuple[tuple[type[TouchlineError], int], ...] = (
    (NotFound, 404),
    (Refused, 409),
    (Invalid, 422),
    (Blocked, 503),
    (Failed, 500),
    (TouchlineError, 500),
)
"""Status codes by class of error; the first match counts."""

STATUS_BY_CODE = {
    "session_gone": 410,
    "no_stat_url": 400,
    # The contract requires 400 for a calibration or a panorama that the data does not allow.
    **dict.fromkeys(
        (
            "calibration_refused",
            "enough",
            "no_agreement",
            "no_footage",
            "no_pair",
            "no_two_cameras",
            "not_calibrated",
            "not_started",
            "nothing_given",
            "other_shape",
            "overlap",
            "panorama_active",
            "panorama_inactive",
            "poor_fit",
            "too_few_frames",
            "too_few_matches",
        ),
        400,
    ),
}
"""Status codes of errors for which the contract requires another one than for their class."""

_MEANING: dict[int, tuple[type[Any], str]] = {
    400: (ErrorBody, "The request cannot be parsed."),
    401: (ErrorBody, "Authentication is required and the request has no key."),
    403: (ErrorBody, "The key is wrong, or the request comes from another site."),
    404: (ErrorBody, "Not found."),
    406: (ErrorBody, "The request cannot be fulfilled with the existing data."),
    409: (ErrorBody, "The current state does not allow this."),
    410: (ErrorBody, "The resource existed and has been removed."),
    412: (ErrorBody, "The resource changed since the client last read it."),
    413: (ErrorBody, "The request body is too large."),
    415: (ErrorBody, "The media type of the body is not supported."),
    429: (
        ErrorBody,
        "Too many requests with a wrong key from this address; retry after `Retry-After` seconds.",
    ),
    416: (ErrorBody, "The requested range lies outside the file."),
    500: (ErrorBody, "The server failed to process the request; the reason is in the log."),
    503: (BlockedBody, "Temporarily unavailable; retry later."),
}


UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client's copy is current (`If-None-Match`, `If-Modified-Since`)."}
}
"""Response of reads that have an entity tag."""


def may_answer(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Build the OpenAPI responses for these error statuses."""
    meanings = {status: _MEANING[status] for status in statuses}
    return {
        status: {"model": model, "description": text} for status, (model, text) in meanings.items()
    }


def install_errors(app: FastAPI, methods_of: Mapping[str, AbstractSet[str]]) -> None:
    """Install handlers that give every failure inside `app` the contract's format.

    `methods_of` names the methods of every path, for the Allow header of a 405.
    """

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if isinstance(error, Unauthorized):
            return refusal(error)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # A path has a route per method, and the framework names only the first. A fixed path
            # (`/engines/select`) must not be taken for another route's path parameter.
            path = request.scope["path"]
            route = request.scope.get("route")
            methods = methods_of.get(path) or methods_of.get(getattr(route, "path", ""))
            if methods:
                headers["Allow"] = ", ".join(sorted(methods))
        return answer(_body_of(error), error.status_code, headers)

    app.exception_handler(TouchlineError)(_touchline_error)
    app.exception_handler(RequestValidationError)(_validation_error)


async def _touchline_error(request: Request, error: TouchlineError) -> Response:
    status_code = next(status for kind, status in STATUS_BY_CLASS if isinstance(error, kind))
    status_code = STATUS_BY_CODE.get(error.code, status_code)
    if status_code == 422:
        return answer({"detail": [_invalid_item(error)]}, status_code)
    body: BlockedBody = {"detail": _with_advice(error), "code": error.code}
    headers: dict[str, str] = {}
    if isinstance(error, Blocked):
        body["eta_seconds"] = error.eta_s
        body["can_retry"] = error.can_retry
        body["should_wait"] = error.should_wait
        if error.eta_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(error.eta_s)))
    if status_code == 500:
        log.error("%s %r: %s", request.method, request.scope["path"], error.message, exc_info=error)
    return answer(body, status_code, headers)


def _with_advice(error: TouchlineError) -> str:
    """Return the error's message, with advice if there is any."""
    advice = error.details.get("advice")
    return f"{error.message.rstrip('.')}. {advice}" if advice else error.message


def _invalid_item(error: TouchlineError) -> InvalidItem:
    """Return the validation item of a value that the core refused."""
    return {
        "type": error.code,
        "loc": list(error.details.get("loc", ("body",))),
        "msg": error.message,
        "input": plain(error.details.get("input")),
    }


async def _validation_error(
    request: Request,  # noqa: ARG001
    error: RequestValidationError,
) -> Response:
    """Return the framework's 422 without input that JSON cannot represent (NaN, surrogates)."""
    return answer({"detail": plain(error.errors())}, 422)


class CodedError(HTTPException):
    """HTTP error with a machine-readable reason."""

    def __init__(
        self,
        status_code: int,
        detail: str,
        *,
        code: str | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code, detail, headers)
        self.code = code


class Unauthorized(CodedError):
    """Missing or invalid credentials: a key, a session or a signed link is required."""

    def __init__(
        self,
        status_code: int,
        detail: str,
        *,
        code: str | None = None,
        challenges: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Create the error; each of `challenges` is sent in a field of its own."""
        super().__init__(status_code, detail, code=code, headers=headers)
        self.challenges = challenges


def refusal(error: Unauthorized) -> Response:
    """Return the response to an unauthenticated request."""
    response = answer(_body_of(error), error.status_code, dict(error.headers or {}))
    # One field each: players expect their challenge at the beginning of a field.
    for challenge in error.challenges:
        response.headers.append("WWW-Authenticate", challenge)
    return response


def _body_of(error: HTTPException) -> ErrorBody:
    code = error.code if isinstance(error, CodedError) else None
    return {"detail": error.detail, "code": code} if code else {"detail": error.detail}


class LastResort:
    """Middleware that turns an unexpected error into a 500 with an id, and logs the details."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if started:
                # The response is partly sent: only a broken connection can signal the error.
                raise
            error_id = secrets.token_hex(4)
            log.exception("Internal error %s: %s %r", error_id, scope["method"], scope["path"])
            detail = f"Internal error; the server's log has it under {error_id}"
            body: ErrorBody = {"detail": detail, "code": "internal_error"}
            await answer(body, 500)(scope, receive, send)
