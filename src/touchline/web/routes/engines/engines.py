"""Routes that read engines and containers, from memory except for container inspection."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from touchline.core.errors import NotFound
from touchline.engines import (
    ContainerInspection,
    Engines,
    EngineState,
    EngineUsage,
    EngineUsageTotal,
    EngineWithStreams,
    inspection_json,
    total,
    usage_json,
)
from touchline.web.auth.auth import NEEDS_KEY, has_key
from touchline.web.http.answers import answer
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import DirectRoute
from touchline.web.routes.engines.cached import engines_of, get_cached_answers

router = APIRouter(tags=["engines"], responses=may_answer(500), route_class=DirectRoute)

ContainerId = Annotated[
    str, Path(min_length=1, max_length=256, description="Container id or name.")
]
LabelName = Annotated[str, Query(min_length=1, max_length=256, description="Label key.")]
LabelValue = Annotated[str, Query(max_length=4096, description="Label value.")]


@router.get(
    "/engines",
    name="engines",
    operation_id="get_engines",
    summary="List engines",
    response_model=list[EngineState],
    responses=UNCHANGED,
)
async def get_engines(request: Request) -> Response:
    """List the engines, ordered by port. Supports conditional requests (ETag)."""
    engines = engines_of(request)
    return get_cached_answers(request).send(
        request, "engines", engines.fleet.engines_body(), engines
    )


@router.get(
    "/engines/stats/all",
    name="engines_stats_all",
    operation_id="get_engines_usage",
    summary="Get the resource usage of each engine",
    response_model=dict[str, EngineUsage],
)
async def get_engines_usage(request: Request) -> Response:
    """Return CPU, memory and traffic by engine; empty before the first measurement."""
    return answer(usages_json(engines_of(request)))


def usages_json(engines: Engines) -> dict[str, EngineUsage]:
    """Build the resource usage for the route and the channel of the same name."""
    return {key: usage_json(key, usage) for key, usage in engines.usage.by_engine().items()}


@router.get(
    "/engines/stats/total",
    name="engines_stats_total",
    operation_id="get_engines_usage_total",
    summary="Get the resource usage of all engines",
    response_model=EngineUsageTotal,
)
async def get_engines_usage_total(request: Request) -> Response:
    """Return the usage summed over all engines; zeros before the first measurement."""
    return answer(total(engines_of(request).usage.by_engine()))


@router.get(
    "/engines/{container_id}",
    name="engine",
    operation_id="get_engine",
    summary="Get an engine",
    response_model=EngineWithStreams,
    responses={**UNCHANGED, **may_answer(404)},
)
async def get_engine(request: Request, container_id: ContainerId) -> Response:
    """Return an engine and its playing streams."""
    engines = engines_of(request)
    try:
        body = engines.fleet.engine_body(container_id)
    except NotFound:
        return answer({"error": "not found", "detail": "not found"}, 404)
    return get_cached_answers(request).send(request, "engine", body, engines)


@router.get(
    "/engines/{container_id}/stats",
    name="engine_stats",
    operation_id="get_engine_usage",
    summary="Get the resource usage of an engine",
    response_model=EngineUsage,
    responses=may_answer(404),
)
async def get_engine_usage(request: Request, container_id: ContainerId) -> Response:
    """Return CPU, memory and traffic of one engine."""
    return answer(usage_json(container_id, engines_of(request).usage.of(container_id)))


@router.get(
    "/containers/{container_id}",
    name="container",
    operation_id="get_container",
    summary="Inspect a container",
    response_model=ContainerInspection,
    responses=may_answer(404, 503),
)
async def get_container(request: Request, container_id: ContainerId) -> Response:
    """Return details of a container. Containers not managed by this server require the key."""
    engines = engines_of(request)
    instance = await engines.inspect(container_id)
    if not engines.is_managed(instance) and not has_key(request):
        raise NotFound("container not found", code="container_not_found")
    return answer(inspection_json(instance))


@router.get(
    "/by-label",
    name="by_label",
    operation_id="get_containers_by_label",
    summary="List containers by label",
    response_model=list[ContainerInspection],
    responses=may_answer(401, 403),
    dependencies=[NEEDS_KEY],
)
async def get_containers_by_label(request: Request, key: LabelName, value: LabelValue) -> Response:
    """List managed containers whose label has this value, in any state."""
    return answer([inspection_json(each) for each in engines_of(request).list_by_label(key, value)])
