"""Construction of the contract's StopResult from worker replies and the integrity check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from touchline.capture.library.manifest.manifest import Gap
from touchline.capture.library.verification.answers import CameraIntegrity, Integrity
from touchline.capture.recording.answers import CameraStop, RecordedGap, StopReport
from touchline.capture.recording.match.match import Match


def stop_report(
    match: Match, results: Mapping[int, Mapping[str, Any]], integrity: Integrity
) -> StopReport:
    """Return the body of the answer to a stop. Pure."""
    cameras = {
        track.camera.key: _camera(results[camera_id], integrity["cameras"].get(track.camera.key))
        for camera_id, track in match.tracks.items()
    }
    transport = all(camera["success"] for camera in cameras.values())
    graceful = all(camera["finalized"] for camera in cameras.values())
    success = graceful and integrity["all_ok"] is not False
    if success:
        message = "Recording stopped successfully"
    elif integrity["all_ok"] is False:
        message = "Recording pipelines stopped but integrity checks failed"
    elif transport:
        message = "Recording pipelines stopped but media finalization was incomplete"
    else:
        message = "Recording stop completed with camera errors"
    return {
        "success": success,
        "message": message,
        "transport_success": transport,
        "graceful_stop": graceful,
        "camera_stop_results": cameras,
        "integrity": integrity,
        "match_id": match.match_id,
        "duration": round(match.duration_s, 3),
        "gaps": [
            _gap(gap, gap.to_unix_ns)
            for track in match.tracks.values()
            for gap in track.gaps
            if gap.to_unix_ns is not None
        ],
    }


def _gap(gap: Gap, to_unix_ns: int) -> RecordedGap:
    """Return a gap in the contract's form.

    An unknown length is stated only where it applies.
    """
    recorded: RecordedGap = {
        "camera": gap.camera,
        "from_unix_ns": gap.from_unix_ns,
        "to_unix_ns": to_unix_ns,
        "reason": gap.reason,
        "seconds": round((to_unix_ns - gap.from_unix_ns) / 1e9, 3),
    }
    if not gap.length_known:
        recorded["length_known"] = False
    return recorded


def _camera(result: Mapping[str, Any], checked: CameraIntegrity | None) -> CameraStop:
    stopped = bool(result["stopped"])
    timed_out = bool(result.get("timed_out"))
    eos_received = bool(result.get("eos_received"))
    error = result.get("error")
    camera: CameraStop = {
        "success": stopped,
        "eos_received": eos_received,
        "timed_out": timed_out,
        "error": error,
        "finalized": bool(
            stopped and eos_received and not timed_out and not error and result.get("finalized")
        ),
    }
    if checked is not None:
        probe = checked.get("probe")
        camera["segment_path"] = checked.get("segment_path")
        camera["integrity_checked"] = checked["integrity_checked"]
        camera["integrity_ok"] = checked["integrity_ok"]
        camera["integrity_error"] = checked["integrity_error"]
        camera["integrity_avg_frame_rate"] = probe.get("avg_frame_rate") if probe else None
    return camera
