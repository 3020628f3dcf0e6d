"""Routes whose errors tell a program what to do: wait, retry, or give up.

Routes that start, stop or assign engines answer an error with `{"detail": {"error", "code",
"message", "recovery_eta_seconds", "can_retry", "should_wait"}}`, which proxies evaluate. Wrong keys
and malformed requests keep the framework's format.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError, with_config
from typing_extensions import TypedDict

from touchline.core.errors import Blocked, Invalid, NotFound, Refused, TouchlineError
from touchline.engines import StartTimeout, reason_json
from touchline.web.auth.auth import gate_of
from touchline.web.http.answers import answer
from touchline.web.http.routes import DirectRoute, Handler
from touchline.web.models.errors import ErrorBody

log = logging.getLogger(__name__)

GENERAL = "general_error"
_BAD_REQUEST_CODES = frozenset({"image_required"})
"""Codes of invalid input for which the contract requires 400 instead of 422."""

_DOCUMENTED = ConfigDict(use_attribute_docstrings=True)


@with_config(_DOCUMENTED)
class Reason(TypedDict):
    """Reason for a refusal, for people and programs."""

    error: str
    """Kind of error: `provisioning_blocked`, `provisioning_failed`, `refused` …"""
    code: str
    """Machine-readable reason in snake_case, stable across versions."""
    message: str
    """Human-readable message."""
    recovery_eta_seconds: int | None
    """Estimated time until the request can succeed, if known."""
    can_retry: bool
    """Whether the same request may succeed later."""
    should_wait: bool
    """Whether waiting is enough, without any action."""


@with_config(_DOCUMENTED)
class StructuredError(TypedDict):
    """Error response of provisioning and stream routes."""

    detail: Reason


_MEANING = {
    400: "A required field is missing.",
    404: "The image, container or stream does not exist.",
    409: "The current state does not allow this.",
    500: "The operation failed; the reason is in the log.",
    503: "Temporarily unavailable; retry later.",
    504: "The container did not start in time and was removed.",
}


def may_fail(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Build the OpenAPI responses for these error statuses."""
    return {
        # The plain format is for requests that never reached the route: invalid path or body.
        status: {"model": StructuredError | ErrorBody, "description": _MEANING[status]}
        for status in statuses
    }


class StructuredRoute(DirectRoute):
    """Route that renders its handler's errors as `StructuredError`."""

    def _framework_handler(self) -> Handler:
        return super().get_route_handler()

    def get_route_handler(self) -> Handler:
        """Wrap the handler so that its errors become responses."""
        handle = self._framework_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except Invalid as error:
                if error.code not in _BAD_REQUEST_CODES:
                    raise
                return _render(request, error, 400)
            except TouchlineError as error:
                return _render(request, error, _status(error))

        return handled


class ReportRoute(StructuredRoute):
    """A structured route that reads its body itself, because reports are very frequent.

    The handler receives only the request and the body's model; the key is required. Resolving
    dependencies like the framework does would take as long as everything else together.
    """

    @property
    def is_direct(self) -> bool:
        """Always true: the handler reads the body itself."""
        return True

    def get_route_handler(self) -> Handler:
        """Wrap the handler with the key check and body validation."""
        # The framework has analysed the annotations already: one body, and its model.
        (body,) = self.dependant.body_params
        self._model = cast("type[BaseModel]", body.field_info.annotation)
        return super().get_route_handler()

    def _framework_handler(self) -> Handler:
        endpoint: Callable[[Request, BaseModel], Awaitable[Response]] = self.endpoint
        model = self._model

        async def handle(request: Request) -> Response:
            gate_of(request).admit(request.scope)
            content = await request.body()
            if not content:
                missing = {"type": "missing", "loc": ("body",), "msg": "Field required"}
                raise RequestValidationError([{**missing, "input": None}])
            try:
                report = model.model_validate_json(content)
            except ValidationError as error:
                faults = [
                    {**fault, "loc": ("body", *fault["loc"])}
                    for fault in error.errors(include_url=False)
                ]
                raise RequestValidationError(faults) from error
            return await endpoint(request, report)

        return handle


def _status(error: TouchlineError) -> int:
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, Refused):
        return 409
    if isinstance(error, Blocked):
        return 503
    return 504 if isinstance(error, StartTimeout) else 500


def _render(request: Request, error: TouchlineError, status: int) -> Response:
    headers: dict[str, str] = {}
    if isinstance(error, Blocked):
        detail: Reason = {"error": "provisioning_blocked", **reason_json(error)}
        if error.eta_s is not None:
            headers["Retry-After"] = str(max(1, math.ceil(error.eta_s)))
    else:
        word = {400: "invalid_request", 404: "not_found", 409: "refused"}.get(status)
        detail = {
            "error": word or "provisioning_failed",
            "code": GENERAL if error.code == "failed" else error.code,
            "message": error.message,
            "recovery_eta_seconds": None,
            "can_retry": status == 504,
            "should_wait": False,
        }
    if status == 500:
        log.error("%s %r: %s", request.method, request.scope["path"], error.message, exc_info=error)
    body: StructuredError = {"detail": detail}
    return answer(body, status, headers)
