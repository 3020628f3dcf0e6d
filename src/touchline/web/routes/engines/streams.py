"""Routes of streams: reports from clients, and the state of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import AfterValidator

from touchline.engines import Body as CachedAnswers
from touchline.engines import (
    LivePosition,
    StreamDetails,
    StreamReport,
    StreamState,
    StreamStatSnapshot,
    sample_json,
    stream_json,
)
from touchline.web.auth.auth import NEEDS_KEY
from touchline.web.http.answers import answer
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import Route
from touchline.web.models.base import Moment
from touchline.web.models.engines.streams import (
    StreamEndedReply,
    StreamEndedReport,
    StreamStartedReport,
)
from touchline.web.routes.engines.cached import engines_of, get_cached_answers
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
    Path(min_length=1, max_length=256, description="Stream id, percent-encoded."),
]


@reports.post(
    "/stream_started",
    name="stream_started",
    operation_id="report_stream_started",
    summary="Report a started stream",
    response_model=StreamState,
    responses={**may_answer(400, 401, 403, 413), **may_fail(503)},
    dependencies=[NEEDS_KEY],
)
async def report_stream_started(
    request: Request, report: Annotated[StreamStartedReport, Body()]
) -> Response:
    """Record a stream that a client has started. It is on the disk before the response is sent.

    Repeating a report changes nothing. `stat_url` and `command_url` must point at the engine.
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
    summary="Report an ended stream",
    response_model=StreamEndedReply,
    responses={**may_answer(400, 401, 403, 413), **may_fail(503)},
    dependencies=[NEEDS_KEY],
)
async def report_stream_ended(
    request: Request, report: Annotated[StreamEndedReport, Body()]
) -> Response:
    """Record the end of a stream, by id or, without one, of the container's newest stream."""
    ended = await engines_of(request).streams.ended(
        container_id=report.container_id or None,
        stream_id=report.stream_id or None,
        reason=report.reason,
    )
    shown = stream_json(ended.stream, None) if ended.stream is not None else None
    reply: StreamEndedReply = {"updated": ended.updated, "stream": shown}
    return answer(reply)


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
        Literal["started", "ended", "all"], Query(description="Only started or ended streams.")
    ] = "started",
    container_id: Annotated[
        list[str] | None, Query(max_length=1000, description="Only streams on these engines.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Maximum number of streams.")] = MOST,
    offset: Annotated[int, Query(ge=0, le=MOST, description="Number of streams to skip.")] = 0,
) -> Response:
    """List streams in the order of their start. Ended streams are kept for an hour."""
    engines = engines_of(request)
    fleet = engines.fleet
    on = frozenset(filter(None, container_id or ())) or None  # an empty one counts as none

    def wanted(stream: Stream) -> bool:
        return status in {"all", stream.status} and (on is None or stream.container_id in on)

    version = fleet.streams_version
    # Only the unfiltered list has a tag: with filters, equal versions may differ in content.
    content = fleet.streams_body(wanted, offset=offset, limit=limit)
    if on is None and offset == 0 and limit == MOST:
        body = CachedAnswers(version, content)
        return get_cached_answers(request).send(request, f"streams-{status}", body, engines)
    return answer(content)


@router.get(
    "/{stream_id}",
    name="stream",
    operation_id="get_stream",
    summary="Get a stream",
    response_model=StreamState,
    responses=may_answer(404),
)
async def get_stream(request: Request, stream_id: StreamId) -> Response:
    """Return a stream with its newest sample. Ended streams are kept for an hour."""
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
    """Stop a stream at its engine and record its end."""
    engines = engines_of(request)
    before = engines.fleet.stream(stream_id)
    stream = await engines.streams.stop(stream_id)
    updated = before.status == "started"
    reply: StreamEndedReply = {"updated": updated, "stream": stream_json(stream, None)}
    return answer(reply)


@router.get(
    "/{stream_id}/stats",
    name="stream_stats",
    operation_id="get_stream_stats",
    summary="Get the statistics of a stream",
    response_model=list[StreamStatSnapshot],
    responses=may_answer(404),
)
async def get_stream_stats(
    request: Request,
    stream_id: StreamId,
    since: Annotated[
        Moment | None, Query(description="Only samples since this time; UTC without a zone.")
    ] = None,
) -> Response:
    """Return the samples of a stream, oldest first; empty for an unknown stream."""
    samples = engines_of(request).samples.since(stream_id, since)
    return answer([sample_json(sample) for sample in samples])


@router.get(
    "/{stream_id}/extended-stats",
    name="stream_extended_stats",
    operation_id="get_stream_details",
    summary="Get details of the content",
    response_model=StreamDetails,
    responses=may_answer(400, 404, 410, 503),
)
async def get_stream_details(request: Request, stream_id: StreamId) -> Response:
    """Ask the engine for details of the content."""
    return answer(await engines_of(request).content.details(stream_id))


@router.get(
    "/{stream_id}/livepos",
    name="stream_livepos",
    operation_id="get_stream_livepos",
    summary="Get the live position",
    response_model=LivePosition,
    responses=may_answer(400, 404, 410, 503),
)
async def get_stream_livepos(request: Request, stream_id: StreamId) -> Response:
    """Ask the engine for its position in the live stream."""
    return answer(await engines_of(request).content.livepos(stream_id))
