"""Metrics of the API itself, counted in one place for every route."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.core.metrics import Metrics

DURATION_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
FINE_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """Middleware that counts requests by route and times them until the response's first byte.

    Body sizes are measured as they pass. Paths without a route share one label: a scanner must not
    be able to fill the memory.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._requests = metrics.counter(
            "footballvision_api_requests", "API requests", ["endpoint", "method"]
        )
        self._answers = metrics.counter(
            "http_requests", "HTTP requests by status class", ["handler", "method", "status"]
        )
        self._durations = metrics.histogram(
            "http_request_duration_seconds",
            "Time until the first byte of the response",
            ["handler", "method"],
            buckets=DURATION_BUCKETS_S,
        )
        self._fine_durations = metrics.histogram(
            "http_request_duration_highr_seconds",
            "Time until the first byte of the response, over all routes, with finer buckets",
            buckets=FINE_BUCKETS_S,
        )
        self._request_bytes = metrics.summary(
            "http_request_size_bytes", "Size of request bodies", ["handler"]
        )
        self._answer_bytes = metrics.summary(
            "http_response_size_bytes",
            "Size of response bodies, as far as sent",
            ["handler"],
        )

        self._series: dict[tuple[Any, ...], tuple[Any, Any, Any | None]] = {}
        self._sizes: dict[str, tuple[Any, Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"
        came_bytes = went_bytes = 0

        async def heard() -> Message:
            nonlocal came_bytes
            message = await receive()
            came_bytes += len(message.get("body", b""))
            return message

        async def watched(message: Message) -> None:
            nonlocal went_bytes
            if message["type"] == "http.response.start":
                self._count(scope, method, message["status"], time.perf_counter() - started_s)
            await send(message)
            went_bytes += len(message.get("body", b""))

        try:
            await self._app(scope, heard, watched)
        finally:
            request_bytes, answer_bytes = self._sizes_of(scope)
            request_bytes.observe(came_bytes)
            answer_bytes.observe(went_bytes)

    def _count(self, scope: Scope, method: str, status: int, duration_s: float) -> None:
        answers, durations, requests = self._series_of(scope, method, status)
        answers.inc()
        durations.observe(duration_s)
        self._fine_durations.observe(duration_s)
        if requests is not None:
            requests.inc()

    def _series_of(self, scope: Scope, method: str, status: int) -> tuple[Any, Any, Any | None]:
        """Return the cached counters of a response: routes, methods and statuses are few."""
        path, name = _path(scope), _name(scope)
        key = (path, name, method, status)
        series = self._series.get(key)
        if series is None:
            is_of_a_route = name is not None and status != 405
            series = self._series[key] = (
                self._answers.labels(path, method, f"{status // 100}xx"),
                self._durations.labels(path, method),
                self._requests.labels(name, method) if is_of_a_route else None,
            )
        return series

    def _sizes_of(self, scope: Scope) -> tuple[Any, Any]:
        path = _path(scope)
        sizes = self._sizes.get(path)
        if sizes is None:
            sizes = self._sizes[path] = (
                self._request_bytes.labels(path),
                self._answer_bytes.labels(path),
            )
        return sizes


def _path(scope: Scope) -> str:
    """Return the path of the matched route, with its placeholders."""
    return str(getattr(scope.get("route"), "path", _NO_ROUTE))


def _name(scope: Scope) -> str | None:
    """Return the name of the matched route; None if no route matched."""
    route = scope.get("route")
    return None if route is None else str(getattr(route, "name", _NO_ROUTE))
