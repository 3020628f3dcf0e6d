"""Verdicts: what a stop, or the interruption that took its place, means for the footage. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from touchline.capture.library.manifest.manifest import Gap, Manifest
from touchline.capture.library.verification.answers import CameraIntegrity
from touchline.capture.library.verification.stopgate import camera_key
from touchline.capture.recording.answers import RecordingLoss, StopReport
from touchline.capture.recording.match.losses import is_loss, loss_of, losses_of, newest_of
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.verdict.answers import LastStop, StopFault


def verdict_of_stop(match: Match, report: StopReport, unix_s: float) -> LastStop:
    """Return the verdict of a stop from its result."""
    integrity = report.get("integrity")
    return {
        **_of_match(match, unix_s),
        "success": report["success"],
        "message": report["message"],
        "faults": list(_faults(match, report)),
        "files_ok": integrity["all_ok"] if integrity is not None else None,
    }


def verdict_of_failure(match: Match, error: Exception, unix_s: float) -> LastStop:
    """Return the verdict of a stop that ended with an error: nobody knows about the files."""
    return {
        **_of_match(match, unix_s),
        "success": False,
        "message": f"Error stopping recording: {error}",
        "faults": [],
        "files_ok": None,
    }


def verdict_of_interruption(manifest: Manifest) -> LastStop:
    """Return the verdict of an interrupted match that is not resumed, whose files were repaired."""
    interruption = manifest.interruptions[-1]
    end_ns, from_ns = interruption.at_unix_ns, manifest.origin_ns
    losses = [_loss_in(manifest, gap, end_ns=end_ns) for gap in manifest.gaps if is_loss(gap)]
    return {
        "id": secrets.token_hex(8),
        "match_id": manifest.match_id,
        "stopped_at": manifest.unix_ns(end_ns) / 1e9,
        "success": False,
        "message": f"Recording was interrupted: {interruption.reason}. What had been recorded was"
        " repaired",
        "duration": round(max(0, end_ns - from_ns) / 1e9, 3),
        "gaps": newest_of(losses),
        "gaps_count": len(losses),
        "faults": [],
        "files_ok": None,
    }


def _of_match(match: Match, unix_s: float) -> LastStop:
    losses = losses_of(match)
    all_gaps = [gap for track in match.tracks.values() for gap in track.all_gaps()]
    return {
        "id": secrets.token_hex(8),
        "match_id": match.match_id,
        "stopped_at": unix_s,
        "success": False,
        "message": "",
        "duration": round(match.duration_s, 3),
        "gaps": [{**loss, "ended": True} for loss in losses],
        "gaps_count": sum(is_loss(gap) for gap in all_gaps),
        "faults": [],
        "files_ok": None,
    }


def _loss_in(manifest: Manifest, gap: Gap, *, end_ns: int) -> RecordingLoss:
    """Return a gap of an interrupted match, which ended one that lasted."""
    if gap.to_unix_ns is None:
        end_ns = max(end_ns, gap.from_unix_ns)
        gap = gap.model_copy(update={"to_unix_ns": end_ns})
    facts = manifest.cameras.get(gap.camera)
    return loss_of(
        gap,
        camera=camera_key(gap.camera),
        name=gap.camera if facts is None else facts.name,
        from_ns=manifest.origin_ns,
        now_ns=end_ns,
    )


def _faults(match: Match, report: StopReport) -> Iterator[StopFault]:
    """Yield what went wrong for each camera: its stop, then its files."""
    stops, integrity = report.get("camera_stop_results") or {}, report.get("integrity")
    for track in match.tracks.values():
        key, name = track.camera.key, track.camera.label
        stop = stops.get(key)
        if stop is not None and stop["error"]:
            yield {"camera": key, "name": name, "message": stop["error"]}
        elif stop is not None and stop["timed_out"]:
            yield {"camera": key, "name": name, "message": "it did not stop in time"}
        checked = integrity["cameras"].get(key) if integrity is not None else None
        if checked is not None and checked["integrity_error"]:
            yield {"camera": key, "name": name, "message": _message(checked)}


def _message(checked: CameraIntegrity) -> str:
    if not checked["segment_found"]:
        return "no file of it was found"
    return str(checked["integrity_error"])
