"""Joint start of all cameras of a match, with a rollback if one is missing."""

from __future__ import annotations

import errno
import logging
import time
from pathlib import Path

import anyio
from anyio import to_thread

from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER, segment_files
from touchline.capture.library.wholefile import sync_folder
from touchline.capture.recording.answers import StartReport
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track
from touchline.capture.recording.orders import make_order
from touchline.core import patience
from touchline.core.errors import Blocked, Failed
from touchline.foreign.files import is_real_folder

log = logging.getLogger(__name__)

_LOST_CAMERA_TIMEOUT_S = 2.0


async def start_cameras(
    context: RecordingContext, match: Match, *, require_all: bool, resuming: bool = False
) -> tuple[StartReport, dict[int, str]]:
    """Start the cameras, and return when the first frames of all required ones are synced.

    Returns the report, and by camera id why each missing camera did not start. A failed start
    leaves no file and no worker recording. One that resumes an interrupted match does not fail:
    after a power cut cameras take longer to come back than the server. Raises OSError if the
    match's folder cannot be written.
    """
    new_folder = not await anyio.Path(match.folder).exists()
    try:
        await to_thread.run_sync(_make_folders, match.segments_folder)
        await context.save(match, "recording")
    except OSError:
        if new_folder:
            await to_thread.run_sync(_remove_empty, match.folder)
        raise
    before = {path.name for path in await to_thread.run_sync(segment_files, match.folder)}
    started: list[int] = []
    reasons: dict[int, str] = {}

    async def start(track: Track) -> None:
        reason = await _start_camera(context, match, track)
        if reason is None:
            started.append(track.camera.id)
        else:
            reasons[track.camera.id] = reason

    async with anyio.create_task_group() as tasks:
        for track in match.tracks.values():
            tasks.start_soon(start, track)
    failed = sorted(reasons)
    for camera_id in failed:
        log.error("camera %d did not start: %s", camera_id, reasons[camera_id])
    errors = {f"camera_{i}": reasons[i] for i in failed}
    if failed and not resuming and (require_all or not started):
        await _roll_back(context, match, new_folder=new_folder, before=before)
        return _report_not_started(failed, errors, require_all=require_all), reasons
    report: StartReport = {
        "success": True,
        "message": f"Recording started for match: {match.match_id}",
        "match_id": match.match_id,
        "cameras_started": sorted(started),
        "cameras_failed": failed,
        "require_all_cameras": require_all,
        "disk_minutes_left": context.disk_minutes(),
    }
    if errors:
        report["errors"] = errors
    return report, reasons


def _report_not_started(
    failed: list[int], errors: dict[str, str], *, require_all: bool
) -> StartReport:
    if require_all:
        return {
            "success": False,
            "message": "Failed to start all required cameras",
            "code": "cameras_not_started",
            "cameras_started": [],
            "cameras_failed": failed,
            "require_all_cameras": True,
            "errors": errors,
        }
    return {
        "success": False,
        "message": "Failed to start any cameras",
        "code": "cameras_not_started",
        "failed_cameras": failed,
        "errors": errors,
    }


async def _start_camera(context: RecordingContext, match: Match, track: Track) -> str | None:
    """Start a camera, and return the reason of a failure; None when it is recording."""
    camera = track.camera
    timeout_s = context.settings.start_timeout_s
    keeps_running = camera.spec is not None and camera.spec.keep_running
    if keeps_running and camera.status.get("state") in {"retrying", "error"}:
        timeout_s = min(timeout_s, _LOST_CAMERA_TIMEOUT_S)  # it is known to be missing
    with patience.move_on_after(timeout_s):
        await camera.ready.wait()
    order = make_order(context.settings, match, track)
    try:
        try:
            reply = await camera.record(order, timeout_s)
        except Failed as error:
            if error.code != "recording":
                raise
            # The worker still records an abandoned match (its stop was never answered): stop it.
            log.warning("%s was still recording something else: %s", camera.name, error.message)
            await camera.stop(time.monotonic_ns(), context.settings.stop_timeout_s)
            reply = await camera.record(order, timeout_s)
    except (Blocked, Failed) as error:
        return camera.last_error or error.message
    track.begin_recording()
    if not reply["started"]:
        return str(reply["error"])
    track.note_segment(reply["segment"], "opened")
    return None


async def _roll_back(
    context: RecordingContext, match: Match, *, new_folder: bool, before: set[str]
) -> None:
    """Undo a recording that never began."""
    now_ns = time.monotonic_ns()

    async def stop(track: Track) -> None:
        try:
            await track.camera.stop(now_ns, context.settings.stop_timeout_s)
        except (Blocked, Failed) as error:
            if error.code != "not_recording":
                log.warning("rolling back %s: %s", track.camera.name, error.message)

    async with anyio.create_task_group() as tasks:
        for track in match.tracks.values():
            tasks.start_soon(stop, track)
    await to_thread.run_sync(_remove_new, match.folder, before)
    if new_folder:
        await to_thread.run_sync(_remove_empty, match.folder)
    elif match.came_from is not None:
        await context.restore(match.folder, match.came_from)
    else:
        await anyio.Path(match.folder / manifestfile.FILE_NAME).unlink(missing_ok=True)


def _make_folders(segments: Path) -> None:
    """Create the match's folders, synced to the disk before the first file is in them."""
    segments.mkdir(parents=True, exist_ok=True)
    for folder in (segments, segments.parent):
        if not is_real_folder(folder):
            raise NotADirectoryError(
                errno.ENOTDIR, "It is a symbolic link, which recordings do not follow", str(folder)
            )
    for folder in (segments, segments.parent, segments.parent.parent):
        sync_folder(folder)


def _remove_new(folder: Path, before: set[str]) -> None:
    """Remove the segments that were not there before this start."""
    for path in segment_files(folder):
        if path.name not in before:
            path.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    # A crash may have left the temporary file of a save, too.
    for path in (folder / manifestfile.FILE_NAME, *folder.glob(f".{manifestfile.FILE_NAME}.*")):
        path.unlink(missing_ok=True)
    for path in (folder / SEGMENTS_FOLDER, folder):
        try:
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            log.warning("%s is kept: it is not empty", path)
            return
