"""What the API itself is measured by, counted in one place for every route."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.core.metrics import Metrics

DURATION_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
FINE_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """Counts every request by the name of its route, and times it until the answer's first byte.

    Sizes of bodies are measured as they pass.
    Paths that no route takes share one label: a scanner must not be able to fill the memory.
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
            "Time until the first byte of the answer",
            ["handler", "method"],
            buckets=DURATION_BUCKETS_S,
        )
        self._fine_durations = metrics.histogram(
            "http_request_duration_highr_seconds",
            "The same for all routes together, in finer steps",
            buckets=FINE_BUCKETS_S,
        )
        self._request_bytes = metrics.summary(
            "http_request_size_bytes", "Size of requests' bodies", ["handler"]
        )
        self._answer_bytes = metrics.summary(
            "http_response_size_bytes",
            "Size of answers' bodies, as far as they were sent",
            ["handler"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
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
            path = _path(scope)
            self._request_bytes.labels(path).observe(came_bytes)
            self._answer_bytes.labels(path).observe(went_bytes)

    def _count(self, scope: Scope, method: str, status: int, duration_s: float) -> None:
        route, path = scope.get("route"), _path(scope)
        self._answers.labels(path, method, f"{status // 100}xx").inc()
        self._durations.labels(path, method).observe(duration_s)
        self._fine_durations.observe(duration_s)
        if route is not None and status != 405:
            self._requests.labels(getattr(route, "name", _NO_ROUTE), method).inc()


def _path(scope: Scope) -> str:
    """The path of the route that took the request, with its placeholders."""
    return str(getattr(scope.get("route"), "path", _NO_ROUTE))
