"""Streams: what clients report of them, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import AfterValidator

from touchline.engines import Body as Standing
from touchline.engines import StreamReport, sample_json, stream_json
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import Route
from touchline.web.models.base import Moment
from touchline.web.models.engines.streams import (
    LivePosition,
    StreamDetails,
    StreamEndedReply,
    StreamEndedReport,
    StreamStartedReport,
    StreamState,
    StreamStatSnapshot,
)
from touchline.web.routes.engines.standing import engines_of, standing_of
from touchline.web.routes.engines.structured import ReportRoute, may_fail
from touchline.web.server.limits import with_slashes

if TYPE_CHECKING:
    from touchline.engines import Stream

reports = APIRouter(
    prefix="/events", tags=["streams"], route_class=ReportRoute, responses=may_answer(500)
)
router = APIRouter(
    prefix="/streams", tags=["streams"], responses=may_answer(500), route_class=Route
)

MOST = 100_000
StreamId = Annotated[
    str,
    AfterValidator(with_slashes),
    Path(min_length=1, max_length=256, description="The stream's id, percent-encoded."),
]


@reports.post(
    "/stream_started",
    name="stream_started",
    operation_id="report_stream_started",
    summary="A stream has started",
    response_model=StreamState,
    responses={**may_answer(400, 401, 403, 413), **may_fail(503)},
    dependencies=[NEEDS_KEY],
)
async def report_stream_started(
    request: Request, report: Annotated[StreamStartedReport, Body()]
) -> Response:
    """Keep a stream that a client has started; on the disk before this answers.

    The same report again changes nothing. `stat_url` and `command_url` must point at the engine.
    """
    stream = await engines_of(request).streams.started(
        StreamReport(
            container_id=report.container_id or None,
            host=report.engine.host,
            port=report.engine.port,
            key_type=report.stream.key_type,
            key=report.stream.key,
            playback_session_id=report.session.playback_session_id,
            stat_url=str(report.session.stat_url),
            command_url=str(report.session.command_url),
            is_live=bool(report.session.is_live),
            labels=report.labels,
        )
    )
    return answer(stream_json(stream, None))


@reports.post(
    "/stream_ended",
    name="stream_ended",
    operation_id="report_stream_ended",
    summary="A stream has ended",
    response_model=StreamEndedReply,
    responses={**may_answer(400, 401, 403, 413), **may_fail(503)},
    dependencies=[NEEDS_KEY],
)
async def report_stream_ended(
    request: Request, report: Annotated[StreamEndedReport, Body()]
) -> Response:
    """End a stream by its id or, without one, the newest stream of that container."""
    ended = await engines_of(request).streams.ended(
        container_id=report.container_id or None,
        stream_id=report.stream_id or None,
        reason=report.reason,
    )
    shown = stream_json(ended.stream, None) if ended.stream is not None else None
    return answer({"updated": ended.updated, "stream": shown})


@router.get(
    "",
    name="streams",
    operation_id="get_streams",
    summary="Streams",
    response_model=list[StreamState],
    responses=UNCHANGED,
)
async def get_streams(
    request: Request,
    status: Annotated[
        Literal["started", "ended", "all"], Query(description="Those that play, or have ended.")
    ] = "started",
    container_id: Annotated[
        list[str] | None, Query(max_length=1000, description="On these engines only.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="At most so many.")] = MOST,
    offset: Annotated[int, Query(ge=0, le=MOST, description="Leave so many out.")] = 0,
) -> Response:
    """Streams in the order in which they came; ended ones are kept for an hour."""
    engines = engines_of(request)
    fleet = engines.fleet
    on = frozenset(filter(None, container_id or ())) or None  # one that is empty is none

    def wanted(stream: Stream) -> bool:
        return status in {"all", stream.status} and (on is None or stream.container_id in on)

    version = fleet.streams_version
    # Only a whole list is worth a tag: with filters, equal versions are not equal answers.
    content = fleet.streams_body(wanted, offset=offset, limit=limit)
    if on is None and offset == 0 and limit == MOST:
        body = Standing(version, content)
        return standing_of(request).send(request, f"streams-{status}", body, engines)
    return answer(content)


@router.get(
    "/{stream_id}",
    name="stream",
    operation_id="get_stream",
    summary="One stream",
    response_model=StreamState,
    responses=may_answer(404),
)
async def get_stream(request: Request, stream_id: StreamId) -> Response:
    """A stream with its newest sample; for an hour after its end too."""
    return answer(engines_of(request).fleet.stream_body(stream_id))


@router.delete(
    "/{stream_id}",
    name="stop_stream",
    operation_id="stop_stream",
    summary="Stop a stream",
    response_model=StreamEndedReply,
    responses=may_answer(401, 403, 404, 503),
    dependencies=[NEEDS_KEY],
)
async def stop_stream(request: Request, stream_id: StreamId) -> Response:
    """Tell the engine to stop it, and end it."""
    engines = engines_of(request)
    before = engines.fleet.stream(stream_id)
    stream = await engines.streams.stop(stream_id)
    updated = before.status == "started"
    return answer({"updated": updated, "stream": stream_json(stream, None)})


@router.get(
    "/{stream_id}/stats",
    name="stream_stats",
    operation_id="get_stream_stats",
    summary="A stream's samples",
    response_model=list[StreamStatSnapshot],
    responses=may_answer(404),
)
async def get_stream_stats(
    request: Request,
    stream_id: StreamId,
    since: Annotated[
        Moment | None, Query(description="Not older than this; without a zone it is UTC.")
    ] = None,
) -> Response:
    """Samples, oldest first; none of a stream that is not known."""
    samples = engines_of(request).samples.since(stream_id, since)
    return answer([sample_json(sample) for sample in samples])


@router.get(
    "/{stream_id}/extended-stats",
    name="stream_extended_stats",
    operation_id="get_stream_details",
    summary="What is played",
    response_model=StreamDetails,
    responses=may_answer(400, 404, 410, 503),
)
async def get_stream_details(request: Request, stream_id: StreamId) -> Response:
    """What the engine knows of the content, asked now."""
    return answer(await engines_of(request).content.details(stream_id))


@router.get(
    "/{stream_id}/livepos",
    name="stream_livepos",
    operation_id="get_stream_livepos",
    summary="The live position",
    response_model=LivePosition,
    responses=may_answer(400, 404, 410, 503),
)
async def get_stream_livepos(request: Request, stream_id: StreamId) -> Response:
    """Where in the live stream the engine is, asked now."""
    return answer(await engines_of(request).content.livepos(stream_id))
