"""Routes of the library: matches, their segments, files and archives."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response

from touchline.capture import (
    Deleted,
    ProcessingStatus,
    Protection,
    Recordings,
    Segments,
    Verification,
)
from touchline.core.errors import NotFound
from touchline.foreign.files import read_bytes
from touchline.web.auth.auth import MEDIA, NEEDS_KEY, signature_of
from touchline.web.auth.medialinks import sign_thumbnails
from touchline.web.files.downloads import (
    MEDIA_TYPES,
    OTHER_MEDIA_TYPE,
    FileDownload,
    SaveAs,
    StreamDownload,
    attachment,
)
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, ReadsDep
from touchline.web.http.errors import UNCHANGED, may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for, limit_of
from touchline.web.models.capture.library import ProtectRequest

THUMBNAILS = "_sprites.vtt"
MOST_THUMBNAILS_BYTES = 4 << 20
"""Ten times the size for a picture every few seconds over a day."""

router = APIRouter(
    prefix="/api/v1/recordings", tags=["library"], responses=may_answer(500), route_class=Route
)

MatchId = Annotated[str, Path(description="Match id, as listed by `GET /api/v1/recordings`.")]
FileName = Annotated[str, Path(description="File name without directory.")]

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_WHOLE_FILE: dict[str, dict[str, Any]] = {
    # A JSON file may contain any value; all other files are bytes to a client.
    kind: {"schema": {}} if kind == "application/json" else _BYTES
    for kind in sorted({*MEDIA_TYPES.values(), OTHER_MEDIA_TYPE})
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The complete file as an attachment.",
        "content": _WHOLE_FILE,
    },
    206: {
        "description": "The requested range; several ranges as multipart.",
        "content": dict.fromkeys((*_WHOLE_FILE, "multipart/byteranges"), _BYTES),
    },
    **UNCHANGED,
    **may_answer(401, 403, 404, 416, 503),
}
_ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The match as an uncompressed ZIP64 archive.",
        "content": {"application/zip": _BYTES},
    },
    **may_answer(401, 403, 404, 503),
}


@router.get(
    "",
    name="recordings",
    operation_id="list_recordings",
    summary="List matches",
    response_model=Recordings,
)
async def list_recordings(capture: CaptureDep) -> Response:
    """List every match with footage in the recordings directory."""
    return answer(await capture.library.list())


@router.get(
    "/{match_id}/segments",
    name="recording_segments",
    operation_id="list_segments",
    summary="List the segments of a match",
    response_model=Segments,
    responses=may_answer(404),
)
async def list_segments(match_id: MatchId, capture: CaptureDep) -> Response:
    """List the segments of a match by camera, in recording order."""
    return answer(await capture.library.segments(match_id))


@router.delete(
    "/{match_id}",
    name="recording_delete",
    operation_id="delete_match",
    summary="Delete a match",
    response_model=Deleted,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def delete_match(match_id: MatchId, capture: CaptureDep) -> Response:
    """Delete a match with its files and jobs. The match being recorded is refused."""
    return answer(await capture.delete_match(match_id))


@router.get(
    "/{match_id}/processing-status",
    name="processing_status",
    operation_id="get_processing_status",
    summary="Get the state of post-processing",
    response_model=ProcessingStatus,
    responses=may_answer(404),
)
async def get_processing_status(match_id: MatchId, capture: CaptureDep) -> Response:
    """Return the progress of post-processing.

    An unknown match is reported as not processed; 404 is only returned for invalid ids, such as
    one with a slash.
    """
    return answer(await capture.processing.status(match_id))


@router.post(
    "/{match_id}/verify",
    name="recording_verify",
    operation_id="verify_match",
    summary="Verify a match",
    response_model=Verification,
    responses=may_answer(401, 403, 404, 409, 503),
    dependencies=[NEEDS_KEY],
)
async def verify_match(request: Request, match_id: MatchId, capture: CaptureDep) -> Response:
    """Read every fragment of the match again and report damage."""
    return answer(await done_for(request, "verification", lambda: capture.library.verify(match_id)))


@router.put(
    "/{match_id}/protection",
    name="recording_protection",
    operation_id="protect_match",
    summary="Protect a match",
    response_model=Protection,
    responses=may_answer(401, 403, 404, 409),
    dependencies=[NEEDS_KEY],
)
async def protect_match(match_id: MatchId, body: ProtectRequest, capture: CaptureDep) -> Response:
    """Protect a match from deletion by requests and by a full disk, or remove the protection."""
    return answer(await capture.library.protect(match_id, protected=body.protected))


@router.head(
    "/{match_id}/download",
    name="recording_download",
    operation_id="head_match",
    summary="Get the size of a match's archive",
    response_class=Response,
    responses=_ARCHIVE,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/download",
    name="recording_download",
    operation_id="download_match",
    summary="Download a match",
    response_class=Response,
    responses=_ARCHIVE,
    dependencies=[MEDIA],
)
async def download_match(
    request: Request, match_id: MatchId, capture: CaptureDep, save_as: SaveAs = None
) -> Response:
    """Download a match as one ZIP archive; of a running match, the finished segments."""
    archive = await capture.library.archive(match_id)
    return StreamDownload(archive, limit=limit_of(request, "archive"), save_as=save_as)


@router.head(
    "/{match_id}/segments/{segment_name}",
    name="recording_segment_download",
    operation_id="head_segment",
    summary="Get the headers of a segment",
    response_class=Response,
    responses=_FILE,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/segments/{segment_name}",
    name="recording_segment_download",
    operation_id="download_segment",
    summary="Download a segment",
    response_class=Response,
    responses=_FILE,
    dependencies=[MEDIA],
)
async def download_segment(
    request: Request,
    match_id: MatchId,
    segment_name: FileName,
    capture: CaptureDep,
    reads: ReadsDep,
    save_as: SaveAs = None,
) -> Response:
    """Download a segment, completely or in ranges."""
    path = await capture.library.segment_path(match_id, segment_name)
    limit = limit_of(request, "download")
    return FileDownload(
        path, missing="Segment not found", reads=reads, limit=limit, save_as=save_as
    )


@router.head(
    "/{match_id}/files/{file_name}",
    name="recording_file_download",
    operation_id="head_file",
    summary="Get the headers of a file",
    response_class=Response,
    responses=_FILE,
    dependencies=[MEDIA],
)
@router.get(
    "/{match_id}/files/{file_name}",
    name="recording_file_download",
    operation_id="download_file",
    summary="Download a file",
    response_class=Response,
    responses=_FILE,
    dependencies=[MEDIA],
)
async def download_file(
    request: Request,
    match_id: MatchId,
    file_name: FileName,
    capture: CaptureDep,
    reads: ReadsDep,
    save_as: SaveAs = None,
) -> Response:
    """Download a file in the match's directory, completely or in ranges."""
    path = await capture.library.file_path(match_id, file_name)
    limit = limit_of(request, "download")
    signature = signature_of(request)
    if signature is not None and path.name.endswith(THUMBNAILS):
        text = await to_thread.run_sync(_thumbnails, path, signature, limiter=reads)
        headers = {"cache-control": "private, no-cache"} | attachment(path.name)
        return Response(text, headers=headers, media_type=MEDIA_TYPES[".vtt"])
    return FileDownload(
        path, missing="Recording file not found", reads=reads, limit=limit, save_as=save_as
    )


def _thumbnails(path: FilePath, signature: str) -> str:
    """Return a thumbnail track whose sheet is signed like the track. Raises NotFound."""
    try:
        data = read_bytes(path, most_bytes=MOST_THUMBNAILS_BYTES)
    except OSError as error:
        raise NotFound("Recording file not found") from error
    return sign_thumbnails(data.decode("utf-8", "replace"), signature)
