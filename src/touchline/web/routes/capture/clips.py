"""Routes of clips, playback and markers. A handler parses, calls and renders."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, WithJsonSchema

from touchline.capture import (
    ARCHIVES,
    Container,
    MarkerList,
    MarkerRemoved,
    MarkerState,
    MatchTimes,
)
from touchline.core.errors import Invalid, NotFound
from touchline.web.auth.auth import MEDIA, NEEDS_KEY, PRIVATE, PRIVATE_MEDIA, signature_of
from touchline.web.auth.medialinks import sign_playlist
from touchline.web.files.cuts import FilmDownload
from touchline.web.files.downloads import SaveAs
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, ReadsDep
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for, limit_of
from touchline.web.models.capture.clips import MarkerChange, NewMarker

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"

router = APIRouter(
    prefix="/api/v1/recordings", tags=["clips"], responses=may_answer(500), route_class=Route
)

MatchId = Annotated[str, Path(description="Match id, as listed by `GET /api/v1/recordings`.")]
Camera = Annotated[str, Path(max_length=16, description="Video: `camN`, `panorama` or `follow`.")]
MarkerId = Annotated[str, Path(min_length=1, max_length=64, description="Marker id.")]

_CAMERA = re.compile(r"(?:cam)?(\d{1,2})", re.ASCII)
_SECONDS = re.compile(r"\d{1,6}(?:\.\d{1,20})?", re.ASCII)
"""Programs write all the digits that a double has."""
Instant = Annotated[
    str,
    Field(max_length=40),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,20})?$"},
                {"type": "string", "format": "date-time", "maxLength": 40},
            ]
        }
    ),
]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_ONE_RANGE = "The requested range; the complete clip if more than one range is requested."
_CLIP = {
    200: {"description": "MP4 file with exactly these frames.", "content": {"video/mp4": _BYTES}},
    206: {"description": _ONE_RANGE, "content": {"video/mp4": _BYTES}},
    **UNCHANGED,
    **may_answer(401, 403, 404, 409, 416, 503),
}
_PLAYLIST = {
    200: {"description": "HLS playlist.", "content": {PLAYLIST_TYPE: {}}},
    **may_answer(401, 403, 404, 409, 503),
}
_SECTION = {
    200: {"description": "Initialization section.", "content": {"video/mp4": _BYTES}},
    **may_answer(401, 403, 404, 409, 503),
}
_SEGMENT = {
    200: {
        "description": "Media segment.",
        "content": {"video/mp2t": _BYTES, "video/mp4": _BYTES},
    },
    206: {"description": _ONE_RANGE, "content": {"video/mp2t": _BYTES, "video/mp4": _BYTES}},
    **UNCHANGED,
    **may_answer(401, 403, 404, 409, 416, 503),
}


@router.head(
    "/{match_id}/clip",
    name="clip",
    operation_id="head_clip",
    summary="Get the size of a clip",
    response_class=Response,
    responses=_CLIP,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/clip",
    name="clip",
    operation_id="get_clip",
    summary="Cut a clip",
    response_class=Response,
    responses=_CLIP,
    dependencies=[MEDIA],
)
async def get_clip(
    request: Request,
    match_id: MatchId,
    capture: CaptureDep,
    camera: Annotated[
        str,
        Query(max_length=16, description="Video to cut from: `0`, `cam0`, `panorama` or `follow`."),
    ],
    start: Annotated[
        Instant,
        Query(description="Start: seconds from the start of the match, or an RFC 3339 time."),
    ],
    end: Annotated[Instant, Query(description="End of the clip (exclusive), in the same form.")],
    save_as: SaveAs = None,
) -> Response:
    """Return exactly the frames from `start` up to, but excluding, `end`.

    The clip is cut while it is sent.
    """
    times = await capture.clips.clock_of(match_id)
    from_ns, to_ns = _parse_time_ns("start", start, times), _parse_time_ns("end", end, times)
    clip = await done_for(
        request, "clip", lambda: capture.clips.clip(match_id, _camera(camera), from_ns, to_ns)
    )
    limit = limit_of(request, "download")
    return FilmDownload(clip, cache_control="private, no-cache", save_as=save_as, limit=limit)


@router.head(
    "/{match_id}/vod/{camera}.m3u8",
    name="vod",
    operation_id="head_vod",
    summary="Check a playlist",
    response_class=Response,
    responses=_PLAYLIST,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/vod/{camera}.m3u8",
    name="vod",
    operation_id="get_vod",
    summary="Play a whole match",
    response_class=Response,
    responses=_PLAYLIST,
    dependencies=[MEDIA],
)
async def get_vod(
    request: Request,
    match_id: MatchId,
    camera: Camera,
    capture: CaptureDep,
    reads: ReadsDep,
    container: Annotated[
        Container,
        Query(
            description="Format of media segments: MPEG transport stream (`ts`) or fragmented MP4"
            " (`mp4`)."
        ),
    ] = "ts",
) -> Response:
    """Return an HLS playlist of the recorded segments; for a running match, of those so far."""
    name = _camera(camera)
    work = partial(capture.clips.playlist, match_id, name, container=container)
    text = await done_for(request, "playlist", work)
    signature = signature_of(request)
    if signature is not None:
        text = await to_thread.run_sync(sign_playlist, text, signature, limiter=reads)
    return Response(text, headers={"cache-control": "no-cache"}, media_type=PLAYLIST_TYPE)


@router.head(
    "/{match_id}/vod/{camera}/init/{file_name}",
    name="vod_init",
    operation_id="head_vod_init",
    summary="Check an initialization section",
    response_class=Response,
    responses=_SECTION,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/vod/{camera}/init/{file_name}",
    name="vod_init",
    operation_id="get_vod_init",
    summary="Get the initialization section",
    response_class=Response,
    responses=_SECTION,
    dependencies=[MEDIA],
)
async def get_vod_init(
    request: Request,
    match_id: MatchId,
    camera: Camera,
    file_name: Annotated[str, Path(max_length=255, description="File of the playlist.")],
    capture: CaptureDep,
) -> Response:
    """Return the initialization section of one file of a playlist."""
    folder = await capture.library.folder(match_id)
    name = _camera(camera)
    filmed = await done_for(request, "playlist", lambda: capture.footage.read(folder, name))
    for piece in filmed.pieces:
        if piece.name == file_name:
            headers = {"cache-control": "private, max-age=3600"}
            return Response(piece.init(), headers=headers, media_type="video/mp4")
    raise NotFound("The playlist has no such file", code="file_not_found")


@router.head(
    "/{match_id}/vod/{camera}/media/{file_name}/{sequence}.{suffix}",
    name="vod_segment",
    operation_id="head_vod_segment",
    summary="Get the size of a media segment",
    response_class=Response,
    responses=_SEGMENT,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/vod/{camera}/media/{file_name}/{sequence}.{suffix}",
    name="vod_segment",
    operation_id="get_vod_segment",
    summary="Get a media segment",
    response_class=Response,
    responses=_SEGMENT,
    dependencies=[MEDIA],
)
async def get_vod_segment(
    request: Request,
    match_id: MatchId,
    camera: Camera,
    file_name: Annotated[str, Path(max_length=255, description="File that contains the segment.")],
    sequence: Annotated[
        int, Path(ge=1, le=4_294_967_295, description="First fragment of the segment.")
    ],
    suffix: Annotated[Literal["ts", "m4s"], Path(description="Container format of the playlist.")],
    capture: CaptureDep,
) -> Response:
    """Return a media segment with its position on the playlist's timeline."""
    name = _camera(camera)
    container: Container = "mp4" if suffix == "m4s" else "ts"
    work = partial(
        capture.clips.vod_segment,
        match_id,
        name,
        file_name,
        sequence,
        container=container,
    )
    clip = await done_for(request, "playlist", work)
    kind = "video/mp4" if suffix == "m4s" else "video/mp2t"
    cache_control = "private, max-age=3600"
    limit = limit_of(request, "download")
    return FilmDownload(clip, cache_control=cache_control, media_type=kind, save=False, limit=limit)


@router.get(
    "/{match_id}/markers",
    name="markers",
    operation_id="list_markers",
    summary="List the markers of a match",
    response_model=MarkerList,
    responses=may_answer(401, 403, 404),
    dependencies=[PRIVATE],
)
async def list_markers(match_id: MatchId, capture: CaptureDep) -> Response:
    """List the markers, ordered by time."""
    return answer(MarkerList(markers=await capture.markers.all(match_id)))


_CHAPTERS = {
    200: {"description": "WebVTT chapters.", "content": {"text/vtt": {}}},
    **may_answer(401, 403, 404),
}


@router.head(
    "/{match_id}/markers.vtt",
    name="markers_vtt",
    operation_id="head_markers_vtt",
    summary="Check the chapters of a match",
    response_class=Response,
    responses=_CHAPTERS,
    dependencies=[PRIVATE_MEDIA],
)
@router.get(
    "/{match_id}/markers.vtt",
    name="markers_vtt",
    operation_id="get_markers_vtt",
    summary="Get the markers as chapters",
    response_class=Response,
    responses=_CHAPTERS,
    dependencies=[PRIVATE_MEDIA],
)
async def get_markers_vtt(match_id: MatchId, capture: CaptureDep) -> Response:
    """Return the markers as WebVTT chapters for players."""
    return Response(await capture.markers.chapters(match_id), media_type="text/vtt")


@router.post(
    "/{match_id}/markers",
    name="markers",
    operation_id="add_marker",
    summary="Add a marker",
    response_model=MarkerState,
    responses=may_answer(401, 403, 404, 413),
    dependencies=[NEEDS_KEY],
)
async def add_marker(match_id: MatchId, body: NewMarker, capture: CaptureDep) -> Response:
    """Add a marker at a given time or, during the recording, at the current moment."""
    marker = await capture.markers.add(
        match_id,
        at_s=body.at,
        seconds_ago=body.seconds_ago,
        kind=body.kind,
        text=body.text,
        team=body.team,
    )
    return answer(marker)


@router.patch(
    "/{match_id}/markers/{marker_id}",
    name="marker",
    operation_id="change_marker",
    summary="Change a marker",
    response_model=MarkerState,
    responses=may_answer(401, 403, 404, 413),
    dependencies=[NEEDS_KEY],
)
async def change_marker(
    match_id: MatchId, marker_id: MarkerId, body: MarkerChange, capture: CaptureDep
) -> Response:
    """Change the given fields of a marker; omitted fields keep their value."""
    fields = body.model_dump(exclude_none=True, exclude={"at"})
    marker = await capture.markers.change(match_id, marker_id, at_s=body.at, **fields)
    return answer(marker)


@router.delete(
    "/{match_id}/markers/{marker_id}",
    name="marker",
    operation_id="remove_marker",
    summary="Delete a marker",
    response_model=MarkerRemoved,
    responses=may_answer(401, 403, 404),
    dependencies=[NEEDS_KEY],
)
async def remove_marker(match_id: MatchId, marker_id: MarkerId, capture: CaptureDep) -> Response:
    """Delete a marker. The footage is not changed."""
    await capture.markers.remove(match_id, marker_id)
    return answer(MarkerRemoved(removed=marker_id))


def _camera(text: str) -> str:
    """Return the camera's name in files. Raises NotFound for an invalid one."""
    if text in ARCHIVES:
        return text
    named = _CAMERA.fullmatch(text)
    if named is None:
        raise NotFound(f"Camera {text!a} does not exist", code="camera_unknown")
    return f"cam{int(named[1])}"


def _parse_time_ns(name: str, text: str, times: MatchTimes) -> int:
    """Convert a time to the match clock. Raises Invalid."""
    if _SECONDS.fullmatch(text):
        return times.at_second(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            f"{name} must be seconds from the start of the match, or a time such as"
            " 2026-02-11T19:30:00Z",
            code="clip_time",
            loc=("query", name),
            input=text,
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return times.at_date(round(moment.timestamp() * 1_000_000) * 1000)
