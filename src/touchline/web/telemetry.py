"""What the API itself is measured by, counted in one place for every route."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from touchline.core.metrics import Metrics

DURATION_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Telemetry:
    """Counts every request by the name of its route, and times it until the answer's first byte.

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s = time.perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, method, message["status"], time.perf_counter() - started_s)
            await send(message)

        await self._app(scope, receive, watched)

    def _count(self, scope: Scope, method: str, status: int, duration_s: float) -> None:
        route = scope.get("route")
        path = getattr(route, "path", _NO_ROUTE)
        self._answers.labels(path, method, f"{status // 100}xx").inc()
        self._durations.labels(path, method).observe(duration_s)
        if route is not None and status != 405:
            self._requests.labels(getattr(route, "name", _NO_ROUTE), method).inc()
