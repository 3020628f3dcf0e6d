"""Joint stop of all cameras, and verification of what they recorded."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import anyio

from touchline.capture.library.verification.integrityreport import Expected
from touchline.capture.library.verification.stopgate import check_stop
from touchline.capture.logs import alerts as alert
from touchline.capture.logs.diagnostics import PROBE_PHRASE, TIMEOUT_PHRASE
from touchline.capture.recording.answers import StopReport
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track
from touchline.capture.recording.stopreport import stop_report
from touchline.capture.recording.verdict.answers import LastStop
from touchline.capture.recording.verdict.verdict import verdict_of_failure, verdict_of_stop
from touchline.core import patience
from touchline.core.errors import Blocked, Failed

log = logging.getLogger(__name__)

_DROPPED = (
    ("dropped_disk", "the disk was too slow"),
    ("dropped_writer", "they could not be written"),
)


async def stop_cameras(context: RecordingContext, match: Match) -> StopReport:
    """Stop, verify the files, save the final manifest and send the required alerts.

    The verdict is kept as that of the last stop, also of a stop that ends with an error.
    """
    with context.spare.lent():  # reserved descriptors, for reading files and starting ffprobe
        try:
            report = await _stop_cameras(context, match)
        except Exception as error:
            _keep_verdict(context, partial(verdict_of_failure, match, error))
            raise
        _keep_verdict(context, partial(verdict_of_stop, match, report))
        return report


def _keep_verdict(context: RecordingContext, make: Callable[[float], LastStop]) -> None:
    """Keep the verdict of a stop. Never raises: a stop does not depend on it."""
    try:
        context.last_stop.put(make(context.unix_s()))
    except Exception:
        log.exception("the verdict of the stop could not be kept")


async def _stop_cameras(context: RecordingContext, match: Match) -> StopReport:
    at_ns = time.monotonic_ns()
    match.end(at_ns)
    results: dict[int, dict[str, Any]] = {}

    async def stop(track: Track) -> None:
        results[track.camera.id] = await _stop_camera(context, match, track, at_ns)

    async with anyio.create_task_group() as tasks:
        for track in match.tracks.values():
            tasks.start_soon(stop, track)
    match.close_gaps()
    # Before the verification, which may fail or take long: a stop must not be resumed.
    await _save_finished(context, match)
    manifest = match.manifest("finished")
    expected = Expected(
        cameras=tuple(t.camera.name for t in match.tracks.values()),
        from_unix_ns=match.judged_from_ns,
        to_unix_ns=match.ended_unix_ns,
    )
    check = await check_stop(match.folder, manifest, context.prober, expected=expected)
    match.take_verdict(check.report.to_json())
    for camera, probe in check.probes.items():
        if probe.ok is False:
            log.warning("%s for %s after the stop: %s", PROBE_PHRASE, camera, probe.error)
    await _save_finished(context, match)
    report = stop_report(match, results, check.block)
    for alarm in alert.stop_alerts(report, context.settings.min_effective_fps):
        context.send_alert(alarm)
    context.note("recording", "stopped", report["message"], match_id=match.match_id)
    return report


async def _save_finished(context: RecordingContext, match: Match) -> None:
    try:
        await context.save(match, "finished")
    except OSError as error:
        log.error("the manifest of %s will be saved later: %s", match.match_id, error)


async def _stop_camera(
    context: RecordingContext, match: Match, track: Track, at_ns: int
) -> dict[str, Any]:
    asked = track.camera.link.connected
    try:
        reply = await track.camera.stop(at_ns, context.settings.stop_timeout_s)
    except (Blocked, Failed) as error:
        if asked and isinstance(error, Blocked):
            log.error("%s for %s: %s", TIMEOUT_PHRASE, track.camera.name, error.message)
        # The worker is lost or has no recording: repair here what it wrote to the disk.
        await _repair_all(context, match, track)
        return {"stopped": False, "error": track.lost_reason or error.message}
    if reply.get("timed_out"):
        log.error("%s for %s: %s", TIMEOUT_PHRASE, track.camera.name, reply.get("error"))
    for segment in reply["segments"]:
        track.note_segment(segment, "closed")
    for gap in reply.get("gaps", ()):
        track.note_gap(gap)
    for kind, reason in _DROPPED:
        frames = int(reply.get(kind) or 0)
        if frames > 0:
            context.send_alert(
                alert.recording_frames_dropped(
                    match.match_id, track.camera.id, frames=frames, reason=reason
                )
            )
    track.count_dropped(int(reply.get("dropped_disk") or 0))
    # Files left open by an earlier worker may not have been repaired yet.
    await _repair_all(context, match, track, closed=[s["name"] for s in reply["segments"]])
    return {"stopped": True, **reply}


async def _repair_all(
    context: RecordingContext, match: Match, track: Track, *, closed: Collection[str] = ()
) -> None:
    """Repair what lost workers left open before the verification.

    The time limit is that of a stop.
    """
    done = anyio.Event()

    async def repair() -> None:
        try:
            await context.repair_segments(match, track, closed=closed)
        except OSError as error:
            log.error("%s cannot be repaired now: %s", track.camera.name, error)
        finally:
            done.set()

    context.spawn(repair, name=f"{track.camera.name} is repaired")
    with patience.move_on_after(context.settings.stop_timeout_s) as waiting:
        await done.wait()
    if waiting.ran_out:
        log.error("%s: repairing takes longer than the stop waits", track.camera.name)
