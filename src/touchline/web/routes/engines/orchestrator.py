"""Routes of the engines half's state, for proxies, dashboards and supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from touchline import __version__
from touchline.engines import EngineHealth, OrchestratorStatus, Readiness, VpnStatus
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.deps import system_of
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import DirectRoute
from touchline.web.models.engines.orchestrator import (
    CacheStatistics,
    Liveness,
    Message,
    PublicAddress,
)
from touchline.web.routes.engines.cached import engines_of, get_cached_answers, stale_headers

router = APIRouter(tags=["orchestrator"], responses=may_answer(500), route_class=DirectRoute)


@router.get(
    "/health",
    name="live",
    operation_id="get_liveness",
    summary="Alive",
    response_model=Liveness,
)
async def get_liveness() -> Response:
    """Report that the server is alive."""
    alive: Liveness = {"status": "ok", "version": __version__}
    return answer(alive)


@router.get(
    "/health/ready",
    name="ready",
    operation_id="get_readiness",
    summary="Ready",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Not ready; `reasons` has details."}},
)
async def get_readiness(request: Request) -> Response:
    """Report whether the runtime is reachable, and other reasons for not being ready.

    These include failing background tasks of cameras, recordings and the WebSocket.
    """
    ready = engines_of(request).readiness.current()
    ready["reasons"] += system_of(request).capture.reasons() + request.app.state.hub.reasons()
    return answer(ready, 200 if ready["ready"] else 503)


@router.get(
    "/health/status",
    name="health_status",
    operation_id="get_engines_health",
    summary="Get the health of the engines",
    response_model=EngineHealth,
)
async def get_engines_health(request: Request) -> Response:
    """Return the number of healthy engines and the circuit breakers."""
    return answer(engines_of(request).status.health())


@router.post(
    "/health/circuit-breaker/reset",
    name="reset_breaker",
    operation_id="reset_circuit_breaker",
    summary="Reset a circuit breaker",
    response_model=Message,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def reset_circuit_breaker(
    request: Request,
    operation_type: Annotated[
        str | None, Query(max_length=64, description="`general` or `replacement`; default: both.")
    ] = None,
) -> Response:
    """Close circuit breakers so that engines can be started again immediately."""
    engines_of(request).retries.reset(operation_type)
    which = f"Circuit breaker {operation_type}" if operation_type else "All circuit breakers"
    done: Message = {"message": f"{which} reset"}
    return answer(done)


@router.get(
    "/orchestrator/status",
    name="orchestrator_status",
    operation_id="get_orchestrator_status",
    summary="Get the state for proxies",
    response_model=OrchestratorStatus,
)
async def get_orchestrator_status(request: Request) -> Response:
    """Return engines, streams, capacity, the VPN and the availability of engines."""
    engines = engines_of(request)
    return answer(engines.status.orchestrator(), headers=dict(stale_headers(engines)))


@router.get(
    "/vpn/status",
    name="vpn_status",
    operation_id="get_vpn_status",
    summary="Get the state of the VPN",
    response_model=VpnStatus,
)
async def get_vpn_status(request: Request) -> Response:
    """Return whether the VPN is connected, when it was checked, and its forwarded port."""
    engines = engines_of(request)
    return answer(engines.status.vpn(), headers=dict(stale_headers(engines)))


@router.get(
    "/vpn/publicip",
    name="vpn_publicip",
    operation_id="get_vpn_address",
    summary="Get the VPN's public address",
    response_model=PublicAddress,
    responses=may_answer(503),
)
async def get_vpn_address(request: Request) -> Response:
    """Return the public address of the primary VPN."""
    address: PublicAddress = {"public_ip": engines_of(request).status.public_ip()}
    return answer(address)


@router.get(
    "/cache/stats",
    name="cache_stats",
    operation_id="get_cache_statistics",
    summary="Get cache statistics",
    response_model=CacheStatistics,
)
async def get_cache_statistics(request: Request) -> Response:
    """Return how many conditional requests were answered with 304."""
    cached = get_cached_answers(request)
    asked = cached.hits + cached.misses
    statistics: CacheStatistics = {
        "size": 0,
        "hits": cached.hits,
        "misses": cached.misses,
        "hit_rate": round(100 * cached.hits / asked, 2) if asked else 0.0,
        "entries": [],
    }
    return answer(statistics)


@router.post(
    "/cache/clear",
    name="cache_clear",
    operation_id="clear_cache",
    summary="Reset cache statistics",
    response_model=Message,
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def clear_cache(request: Request) -> Response:
    """Set the counters to zero.

    Cached responses never outlive their data, so nothing else is cleared.
    """
    get_cached_answers(request).reset()
    done: Message = {"message": "Cache cleared"}
    return answer(done)
