"""Routes of live pictures: preview, HLS and stills. A handler parses, calls and renders."""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import partial
from pathlib import Path as FilePath
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response

from touchline.capture import (
    RECORDING_ACTIVE,
    PreviewRestarted,
    PreviewStarted,
    PreviewStatus,
    PreviewStopped,
)
from touchline.core.errors import Blocked, Failed, NotFound, Refused
from touchline.web.auth.auth import MEDIA, NEEDS_KEY, has_key, signature_of
from touchline.web.auth.medialinks import sign_playlist
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, ReadsDep
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for
from touchline.web.models.capture.preview import PreviewWhileRecording, StartPreview

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_PLAYLIST = re.compile(r"(cam\d+|panorama)\.m3u8", re.ASCII)
_MEDIA = re.compile(r"(cam\d+|panorama)_[0-9a-f]+_\d+(?:\.\d+\.m4s|\.m4s|_init\.mp4)", re.ASCII)
_NO_FILE = "Not Found"

router = APIRouter(prefix="/api/v1", tags=["live"], responses=may_answer(500), route_class=Route)
hls = APIRouter(prefix="/hls", tags=["live"], responses=may_answer(500), route_class=Route)


@router.get(
    "/preview",
    name="preview",
    operation_id="get_preview",
    summary="Get the state of the preview",
    response_model=PreviewStatus,
)
async def get_preview(request: Request, capture: CaptureDep) -> Response:
    """Return the state of the preview.

    TURN credentials are only included for clients with write access.
    """
    return answer(capture.preview.status(with_credentials=has_key(request)))


@router.post(
    "/preview",
    name="preview",
    operation_id="start_preview",
    summary="Start the preview",
    response_model=PreviewStarted,
    responses=may_answer(400, 401, 403, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def start_preview(body: StartPreview, capture: CaptureDep) -> Response:
    """Start showing one camera or all. Responds when the first frames are available.

    A camera that does not exist or sends nothing is reported with status 200 and `success` false.
    """
    try:
        report = await capture.preview.start(body.camera_id, body.transport)
    except Refused as error:
        return _convert_refusal(error)
    return answer(body.add_warnings(report))


@router.delete(
    "/preview",
    name="preview",
    operation_id="stop_preview",
    summary="Stop the preview",
    response_model=PreviewStopped,
    responses=may_answer(401, 403, 503),
    dependencies=[NEEDS_KEY],
)
async def stop_preview(
    capture: CaptureDep,
    camera_id: Annotated[int | None, Query(description="Camera to stop; default: all.")] = None,
) -> Response:
    """Stop showing one camera or all, and remove playlists, files and sessions."""
    return answer(await capture.preview.stop(camera_id))


@router.post(
    "/preview/restart",
    name="preview_restart",
    operation_id="restart_preview",
    summary="Restart the preview",
    response_model=PreviewRestarted,
    responses=may_answer(400, 401, 403, 413, 503),
    dependencies=[NEEDS_KEY],
)
async def restart_preview(body: StartPreview, capture: CaptureDep) -> Response:
    """Stop and start the preview of one camera or all."""
    try:
        report = await capture.preview.restart(body.camera_id, body.transport)
    except Refused as error:
        return _convert_refusal(error)
    return answer(body.add_warnings(report))


def _convert_refusal(error: Refused) -> Response:
    """Return the contract's status for a preview that a recording blocks."""
    if error.code != RECORDING_ACTIVE:
        raise error
    return answer({"detail": error.message, "code": error.code}, 400)


@router.get(
    "/settings/preview-while-recording",
    name="preview_while_recording",
    operation_id="get_preview_while_recording",
    summary="Get whether viewers may watch during a recording",
    response_model=PreviewWhileRecording,
)
async def get_preview_while_recording(capture: CaptureDep) -> Response:
    """Return whether viewers may watch while a match is recorded."""
    return answer({"enabled": capture.preview.while_recording})


@router.put(
    "/settings/preview-while-recording",
    name="preview_while_recording",
    operation_id="set_preview_while_recording",
    summary="Allow or deny viewers during a recording",
    response_model=PreviewWhileRecording,
    responses=may_answer(400, 401, 403, 413),
    dependencies=[NEEDS_KEY],
)
async def set_preview_while_recording(body: PreviewWhileRecording, capture: CaptureDep) -> Response:
    """Change the setting until the server exits.

    Turning it off disconnects viewers of a running recording.
    """
    capture.preview.allow_while_recording(allowed=body.enabled)
    return answer({"enabled": body.enabled})


_STILL = {
    200: {"description": "JPEG image.", "content": {"image/jpeg": {}}},
    **may_answer(401, 403, 404, 503),
}


@router.head(
    "/cameras/{camera_id}/snapshot.jpg",
    name="snapshot",
    operation_id="head_snapshot",
    summary="Check a camera's still",
    response_class=Response,
    responses=_STILL,
    dependencies=[MEDIA],
)
@router.get(
    "/cameras/{camera_id}/snapshot.jpg",
    name="snapshot",
    operation_id="get_snapshot",
    summary="Get a still of a camera",
    response_class=Response,
    responses=_STILL,
    dependencies=[MEDIA],
)
async def get_snapshot(
    request: Request,
    capture: CaptureDep,
    camera_id: Annotated[int, Path(description="Camera number, the N in `camera_N`.")],
) -> Response:
    """Return the current picture of a camera as JPEG. An idle camera is started for it."""
    still = await done_for(request, "still", lambda: capture.stills.take(camera_id))
    headers = {
        "cache-control": "private, no-cache",
        "last-modified": formatdate(still.captured_at_s, usegmt=True),
    }
    return Response(still.jpeg, headers=headers, media_type="image/jpeg")


_HLS = {
    200: {
        "description": "Playlist or fragmented MP4.",
        "content": {PLAYLIST_TYPE: {}, "video/mp4": {}},
    },
    **may_answer(401, 403, 404, 503),
}


@hls.head(
    "/{name}",
    name="hls",
    operation_id="head_hls",
    summary="Check an HLS file",
    response_class=Response,
    responses=_HLS,
    dependencies=[MEDIA],
)
@hls.get(
    "/{name}",
    name="hls",
    operation_id="get_hls",
    summary="Get an HLS playlist or segment",
    response_class=Response,
    responses=_HLS,
    dependencies=[MEDIA],
)
async def get_hls(
    request: Request,
    capture: CaptureDep,
    reads: ReadsDep,
    name: Annotated[str, Path(description="`camN.m3u8`, `panorama.m3u8`, or a file listed there.")],
    msn: Annotated[
        int | None, Query(alias="_HLS_msn", ge=0, description="Media sequence number to wait for.")
    ] = None,
    part: Annotated[
        int | None, Query(alias="_HLS_part", ge=0, description="Part of the segment to wait for.")
    ] = None,
) -> Response:
    """Return a live playlist or media file while the camera is shown over HLS.

    Requests of low-latency players for a future part block until it is available.
    """
    playlist, media = _PLAYLIST.fullmatch(name), _MEDIA.fullmatch(name)
    found = playlist or media
    if found is None or not _is_shown(capture, found[1]):
        raise NotFound(_NO_FILE)
    if playlist is not None:
        reply = await _ask_live(capture, "hls_playlist", camera=found[1], msn=msn, part=part)
        headers = {"cache-control": "no-cache"}
        signature = signature_of(request)
        text = reply["text"] if signature is None else sign_playlist(reply["text"], signature)
        return Response(text, headers=headers, media_type=PLAYLIST_TYPE)
    folder = capture.live.hls_dir
    if folder is None:
        raise NotFound(_NO_FILE)
    data = await _read(folder / name, reads)
    if data is None:
        # It may be the part that is being produced: parts are announced beforehand.
        if not (await _ask_live(capture, "hls_file", camera=found[1], name=name))["there"]:
            raise NotFound(_NO_FILE)
        data = await _read(folder / name, reads)
    if data is None:
        raise NotFound(_NO_FILE)
    headers = {"cache-control": "private, max-age=60, immutable"}
    return Response(data, headers=headers, media_type="video/mp4")


def _is_shown(capture: CaptureDep, stream: str) -> bool:
    if stream == "panorama":
        return capture.panorama.preview.shows_hls()
    return capture.preview.shows_hls(capture.preview.camera_id(stream))


async def _ask_live(capture: CaptureDep, do: str, **fields: object) -> dict[str, str]:
    """Return the live process's response; NotFound if the camera is no longer shown."""
    try:
        return await capture.live.ask(do, timeout_s=10.0, **fields)
    except Failed as error:
        if error.code == "hls_stopped":
            raise NotFound(_NO_FILE) from error
        if error.code == "hls_not_ready":
            if not _is_shown(capture, str(fields["camera"])):  # it ended while this waited
                raise NotFound(_NO_FILE) from error
            text = "The camera is not sending frames."
            raise Blocked(text, code=error.code, eta_s=1.0) from error
        raise


async def _read(path: FilePath, reads: anyio.CapacityLimiter) -> bytes | None:
    """Read the file; None if it does not exist. It is small and in memory."""
    try:
        return await anyio.to_thread.run_sync(partial(path.read_bytes), limiter=reads)
    except FileNotFoundError:
        return None
