"""Routes at the root: the service's identity and the server's metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response

from touchline import __version__
from touchline.core.metrics import CONTENT_TYPE
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, MetricsDep
from touchline.web.http.routes import Route
from touchline.web.models.service import ServiceInfo

FEATURES = (
    "recording_protection",
    "state_persistence",
    "survives_page_refresh",
    "survives_server_restart",
    "crash_safe_segments",
    "integrity_verification",
)

router = APIRouter(tags=["service"], route_class=Route)


@router.get(
    "/", name="root", operation_id="get_service", summary="Service", response_model=ServiceInfo
)
async def get_service() -> Response:
    """Return name, version and features of this server."""
    service: ServiceInfo = {
        "service": "touchline",
        "version": __version__,
        "status": "running",
        "features": list(FEATURES),
    }
    return answer(service)


@router.get(
    "/metrics",
    name="metrics",
    operation_id="get_metrics",
    summary="Measurements",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def get_metrics(capture: CaptureDep, metrics: MetricsDep) -> Response:
    """Return the metrics of the server in Prometheus format."""
    recording = metrics.gauge(
        "footballvision_recording_active", "1 while a match is being recorded"
    )
    recording.set(bool(capture.recorder.status()["recording"]))
    preview = metrics.gauge("footballvision_preview_active", "1 while any camera is previewed")
    preview.set(bool(capture.preview_status()["preview_active"]))
    return Response(metrics.render(), media_type=CONTENT_TYPE)
