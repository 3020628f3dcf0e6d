"""Routes that create, assign and remove engines."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Request, Response

from touchline.engines import EngineOrder, GenericOrder, SelectOrder, rfc3339
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.asking import while_connected
from touchline.web.http.errors import may_answer
from touchline.web.models.engines.provisioning import (
    CollectedReply,
    DeletedReply,
    DrainReply,
    EngineProvisioned,
    GenericProvisioned,
    ProvisionEngine,
    ProvisionGeneric,
    ScaledReply,
    SelectedEngine,
    SelectEngine,
)
from touchline.web.routes.engines.cached import engines_of
from touchline.web.routes.engines.structured import StructuredRoute, may_fail

router = APIRouter(
    strict_content_type=False,  # clients of the earlier system send none
    tags=["provisioning"],
    route_class=StructuredRoute,
    responses={**may_answer(401, 403, 413), **may_fail(400, 500, 503)},
    dependencies=[NEEDS_KEY],
)

MOST_DEMAND = 1_000_000


@router.post(
    "/provision",
    name="provision",
    operation_id="provision_container",
    summary="Start a container",
    response_model=GenericProvisioned,
    responses=may_fail(404, 409, 504),
)
async def provision_container(
    request: Request, order: Annotated[ProvisionGeneric, Body()]
) -> Response:
    """Start a container from an image. Responds when it is running."""
    instance = await engines_of(request).provisioner.generic(
        GenericOrder(
            image=order.image or "",
            env=order.env,
            labels=order.labels,
            ports=order.ports,
            name_prefix=order.name_prefix,
        )
    )
    started: GenericProvisioned = {"container_id": instance.id, "container_name": instance.name}
    return answer(started)


@router.post(
    "/provision/acestream",
    name="provision_acestream",
    operation_id="provision_engine",
    summary="Start or get an engine",
    response_model=EngineProvisioned,
    responses=may_fail(404, 409, 504),
)
async def provision_engine(
    request: Request,
    order: Annotated[ProvisionEngine, Body()],
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=200,
            description="Repeating a request with the same key returns the same engine.",
        ),
    ] = None,
) -> Response:
    """Return an engine that is ready, reserved for the client for `scaling.lease_s`.

    If the request has no special requirements, an idle engine is returned immediately.
    """
    engines = engines_of(request)
    wanted = EngineOrder(
        labels=order.labels,
        env=order.env,
        image=order.image or None,
        host_port=order.host_port,
        idempotency_key=idempotency_key,
    )
    engine = await while_connected(request, engines.provisioner.engine(wanted))
    if await request.is_disconnected():
        engines.provisioner.give_back(wanted, engine)  # the client has disconnected
    provisioned: EngineProvisioned = {
        "container_id": engine.id,
        "container_name": engine.name,
        "host_http_port": engine.host_http_port or engine.port,
        "container_http_port": engine.container_http_port,
        "container_https_port": engine.container_https_port,
    }
    return answer(provisioned)


@router.post(
    "/engines/select",
    name="select_engine",
    operation_id="select_engine",
    summary="Reserve the best engine",
    response_model=SelectedEngine,
    responses=may_fail(404, 409, 504),
)
async def select_engine(request: Request, order: Annotated[SelectEngine, Body()]) -> Response:
    """Select the engine for a new stream and reserve it until the stream starts."""
    engines = engines_of(request)
    selected = await while_connected(
        request,
        engines.selection.select(
            SelectOrder(
                stream_id=order.stream_id,
                max_streams=order.max_streams,
                wait_s=order.wait_s,
                lease_s=order.lease_s,
            )
        ),
    )
    engine = selected.engine
    if await request.is_disconnected():
        engines.selection.give_back(selected)  # the client has disconnected
    shown: SelectedEngine = {
        "lease_id": selected.lease_id,
        "lease_seconds": selected.lease_s,
        "container_id": engine.id,
        "container_name": engine.name,
        "host": engine.host,
        "port": engine.port,
        "forwarded": engine.forwarded,
        "last_stream_usage": rfc3339(engine.last_stream_usage),
    }
    return answer(shown)


@router.post(
    "/scale/{demand}",
    name="scale",
    operation_id="scale_engines",
    summary="Set the number of engines",
    response_model=ScaledReply,
    responses=may_answer(404),
)
async def scale_engines(
    request: Request,
    demand: Annotated[int, Path(ge=0, le=MOST_DEMAND, description="Number of engines wanted.")],
) -> Response:
    """Set the number of engines. They are started and stopped in the background."""
    scaled = await engines_of(request).control.scale(demand)
    reply: ScaledReply = {
        "scaled_to": demand,
        "target": scaled.target,
        "replicas": scaled.replicas,
    }
    return answer(reply)


@router.post(
    "/gc",
    name="gc",
    operation_id="collect_garbage",
    summary="Remove idle and ended resources",
    response_model=CollectedReply,
)
async def collect_garbage(request: Request) -> Response:
    """Remove engines idle for too long, ended containers, and long ended streams."""
    collected = await engines_of(request).control.collect_garbage()
    reply: CollectedReply = {
        "status": "ok",
        "removed": list(collected.removed),
        "streams_forgotten": collected.streams_forgotten,
    }
    return answer(reply)


@router.post(
    "/engines/{container_id}/drain",
    name="drain_engine",
    operation_id="drain_engine",
    summary="Drain an engine",
    response_model=DrainReply,
    responses=may_fail(404, 503),
)
async def drain_engine(
    request: Request,
    container_id: Annotated[str, Path(min_length=1, max_length=256, description="Container id.")],
) -> Response:
    """Give an engine no new streams and replace it. It is removed after its streams have ended."""
    await engines_of(request).reprovision.drain(container_id)
    reply: DrainReply = {"draining": container_id}
    return answer(reply)


@router.delete(
    "/containers/{container_id}",
    name="delete_container",
    operation_id="delete_container",
    summary="Remove a container",
    response_model=DeletedReply,
    responses=may_fail(404, 409),
)
async def delete_container(
    request: Request,
    container_id: Annotated[
        str, Path(min_length=1, max_length=256, description="Container id or name.")
    ],
) -> Response:
    """Stop and remove a managed container. Its streams end with a reason."""
    await engines_of(request).control.delete(container_id)
    reply: DeletedReply = {"deleted": container_id}
    return answer(reply)
