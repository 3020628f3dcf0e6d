"""Dependencies of handlers: the services of the system, by the names that handlers use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import anyio
from fastapi import Depends, Request

if TYPE_CHECKING:
    from touchline.capture import Capture
    from touchline.core.events.log import EventLog
    from touchline.core.metrics import Metrics
    from touchline.system import System


def system_of(request: Request) -> System:
    """Return the system that this application serves."""
    return cast("System", request.app.state.system)


def _capture_of(request: Request) -> Capture:
    return system_of(request).capture


def _events_of(request: Request) -> EventLog:
    return system_of(request).events


def _metrics_of(request: Request) -> Metrics:
    return system_of(request).metrics


def _reads_of(request: Request) -> anyio.CapacityLimiter:
    return cast("anyio.CapacityLimiter", request.app.state.reads)


CaptureDep = Annotated["Capture", Depends(_capture_of)]
EventsDep = Annotated["EventLog", Depends(_events_of)]
MetricsDep = Annotated["Metrics", Depends(_metrics_of)]
ReadsDep = Annotated[anyio.CapacityLimiter, Depends(_reads_of)]
