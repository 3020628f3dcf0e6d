"""Adoption of a recording after a restart of the server or the machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from anyio import to_thread

from touchline.capture.library import matchclock, recovery
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Interruption, Manifest
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER, rescan
from touchline.capture.logs import alerts as alert
from touchline.capture.recording.answers import StartReport
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.follower import Follower
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.running import Running
from touchline.capture.recording.verdict.verdict import verdict_of_interruption
from touchline.core import patience

log = logging.getLogger(__name__)

_SLOWEST_START_S = 10.0
_RESUME_S = 2.0
"""Seconds that the start waits for resumed cameras.

Quick cameras record before the first request; slow ones do not delay the server.
"""

Hellos = Mapping[int, Mapping[str, Any]]
"""First message of each camera's worker, by camera."""


class Begin(Protocol):
    """Callback that starts the recording task of an existing match."""

    def __call__(self, match_id: str, *, before: Manifest, adopted: bool = False) -> Running:
        """Start the recording task and return the recording.

        `adopted` says that the workers record already.
        """


async def adopt(
    context: RecordingContext, follower: Follower, begin: Begin, hellos: Hellos
) -> None:
    """Continue what was being recorded when the last server ended.

    Workers that record are taken over unchanged; a match that is no longer being recorded is
    repaired, marked as interrupted and, if that is configured and it is recent enough, resumed.
    """
    interrupted = await to_thread.run_sync(recovery.find_interrupted_matches, context.root)
    if interrupted:
        await _await_workers(context)
    orders = {i: h["order"] for i, h in hellos.items() if h.get("order") is not None}
    ours = [o for o in orders.values() if _records_here(context, o)]
    living = _most_recent({order["match_id"]: order for order in ours})
    for camera_id, order in orders.items():
        if order["match_id"] != living or order not in ours:
            await follower.end_orphan(context.cameras[camera_id], order["match_id"])
    manifests_by_id = {m.match_id: m for m in interrupted}
    if living is not None:
        await _take_over(
            context, follower, begin, living, manifests_by_id.pop(living, None), hellos
        )
    resumable, ended = None, None
    for manifest in manifests_by_id.values():
        try:
            mended = await _repair(context, manifest)
        except OSError as error:
            # The match is left unchanged, and the next start of the server tries again.
            log.error("%s cannot be repaired: %s", manifest.match_id, error)
            continue
        now, trust = context.read_clock()
        may = matchclock.may_resume(mended, now, trust, max_match_s=context.settings.max_match_s)
        if context.current.running is None and may and context.settings.resume_after_crash:
            resumable = mended
        ended = mended
    if resumable is not None:
        running = _resume(context, begin, resumable)
        with patience.move_on_after(_RESUME_S):
            await running.started.settled()
    elif ended is not None and context.current.running is None:
        context.last_stop.put(verdict_of_interruption(ended))


async def _await_workers(context: RecordingContext) -> None:
    """Wait until every worker is connected or known to be gone.

    Files of a running worker must not be repaired.
    """
    with patience.move_on_after(context.settings.unresponsive_after_s + _SLOWEST_START_S):
        for camera in context.cameras.values():
            await camera.ready.wait()


def _records_here(context: RecordingContext, order: Mapping[str, Any]) -> bool:
    folder = context.root / str(order["match_id"]) / SEGMENTS_FOLDER
    return str(order["directory"]) == str(folder)


async def _take_over(
    context: RecordingContext,
    follower: Follower,
    begin: Begin,
    match_id: str,
    before: Manifest | None,
    hellos: Hellos,
) -> None:
    order = next(
        h["order"] for h in hellos.values() if h.get("order") and h["order"]["match_id"] == match_id
    )
    if before is None:
        folder = context.root / match_id
        before = await to_thread.run_sync(rescan, folder)
    running = begin(match_id, before=before, adopted=True)
    match = running.match
    # The workers' clock of the match continues without interruption.
    match.adopt_clock(
        start_monotonic_ns=int(order["start_monotonic_ns"]),
        match_minus_monotonic_ns=int(order["unix_minus_monotonic_ns"]),
    )
    reported: set[int] = set()
    for camera_id, hello in hellos.items():
        if hello.get("order") is not None and camera_id in match.tracks:
            match.tracks[camera_id].take_report(hello["report"])
            reported.add(camera_id)
    await running.started.get()
    log.warning("adopted the running recording of match %s", match_id)
    context.note("recording", "adopted", f"Adopted the recording of {match_id}", match_id=match_id)
    for camera_id, track in match.tracks.items():
        if camera_id in reported:
            continue
        follower.mark_lost(match, track, "the worker was not running", "worker")
        if camera_id in hellos:  # others are repaired when they connect
            await context.repair_segments(match, track)
            context.spawn(
                follower.resume_recording, match, track, name=f"{track.camera.name} continues"
            )


async def _repair(context: RecordingContext, manifest: Manifest) -> Manifest:
    """Finish the open files of an interrupted match, and mark it as interrupted."""
    folder = context.root / manifest.match_id
    salvage = await to_thread.run_sync(recovery.salvage_match, folder, manifest)
    at_ns = matchclock.last_footage_ns(salvage.manifest) or 0
    interruption = Interruption(
        at_unix_ns=at_ns, reason="the machine or the server went down", resumed=False
    )
    mended = salvage.manifest.model_copy(
        update={
            "state": "interrupted",
            "ended_unix_ns": at_ns,
            "interruptions": (*salvage.manifest.interruptions, interruption),
        }
    )
    await to_thread.run_sync(manifestfile.save, folder, mended)
    context.send_alert(
        alert.recording_interrupted(
            manifest.match_id, interruption.reason, at_unix_s=mended.unix_ns(at_ns) / 1e9
        )
    )
    if salvage.cut_bytes:
        context.send_alert(alert.recording_salvaged(manifest.match_id, salvage.cut_bytes))
    return mended


def _resume(context: RecordingContext, begin: Begin, mended: Manifest) -> Running:
    """Resume recording; the cameras join as they come back."""
    interruption = mended.interruptions[-1]
    before = mended.model_copy(
        update={
            "interruptions": (
                *mended.interruptions[:-1],
                interruption.model_copy(update={"resumed": True}),
            ),
            "ended_unix_ns": None,
        }
    )
    running = begin(before.match_id, before=before)
    part = running.match.part
    gap_s = (part.start_ns - interruption.at_unix_ns) / 1e9 if part.pause_known else None
    for track in running.match.tracks.values():
        track.mark_lost(interruption.reason, interruption.at_unix_ns, "interruption")
    context.send_alert(alert.recording_resumed(before.match_id, gap_s=gap_s))
    return running


def report_adopted(match: Match) -> StartReport:
    """Return the report of a start that found the cameras recording."""
    return {
        "success": True,
        "message": f"Recording taken over for match: {match.match_id}",
        "match_id": match.match_id,
        "cameras_started": sorted(match.tracks),
    }


def _most_recent(orders: Mapping[str, Mapping[str, Any]]) -> str | None:
    if not orders:
        return None
    return max(orders, key=lambda match_id: orders[match_id]["start_monotonic_ns"])
