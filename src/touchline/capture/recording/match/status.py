"""Status of the running match and input for its health assessment, from memory."""

from __future__ import annotations

from collections.abc import Mapping

from touchline.capture.logs.diskstates import meaning_of
from touchline.capture.recording.answers import (
    ActiveRecording,
    CameraRecovery,
    CameraUptime,
    DiskTrouble,
)
from touchline.capture.recording.health.guard import OverloadDetector
from touchline.capture.recording.health.soundness import CameraObservation, RecordingObservation
from touchline.capture.recording.match.losses import losses_of
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track


def status_of(
    match: Match,
    *,
    protection_s: float,
    require_all: bool,
    guard: OverloadDetector,
    disk_minutes_left: float | None,
) -> ActiveRecording:
    """Return the status of a running recording, from memory."""
    duration = match.duration_s
    degraded = {
        track.camera.key: reason
        for track in match.tracks.values()
        if (reason := explain_degraded(track)) is not None
    }
    if guard.explain_degraded is not None:
        degraded["overload_guard"] = guard.explain_degraded
    return {
        "recording": True,
        "match_id": match.match_id,
        "duration": round(duration, 3),
        "phase": match.phase,
        "cameras": {t.camera.key: _camera(match, t) for t in match.tracks.values()},
        "protected": duration < protection_s,
        "require_all_cameras": require_all,
        "degraded": bool(degraded),
        "degraded_cameras": degraded,
        "camera_recovery": {t.camera.key: _recovery(t) for t in match.tracks.values()},
        "losses": losses_of(match),
        "overload_guard": guard.status(),
        "disk_minutes_left": disk_minutes_left,
        "interruptions": len(match.interruptions),
        "disk": _disk(match),
    }


def _disk(match: Match) -> DiskTrouble:
    """Return the first disk problem, and how to resolve it."""
    troubled = next((t for t in match.tracks.values() if t.disk != "ok"), None)
    if troubled is None:
        return {"state": "ok", "error": None, "what_to_do": None}
    return {
        "state": troubled.disk,
        "error": troubled.disk_error,
        "what_to_do": meaning_of(troubled.disk, troubled.disk_errno).to_do,
    }


def _camera(match: Match, track: Track) -> CameraUptime:
    camera = track.camera
    recording = camera.recording or {}
    dropped = _count_lost_since(track.lost_before, camera.status.get("dropped") or {})
    dropped["disk"] = track.dropped_before + int(recording.get("dropped_disk") or 0)
    if unwritable := int(recording.get("dropped_writer") or 0):
        dropped["writer"] = unwritable
    if undecodable := int(recording.get("dropped_undecodable") or 0):
        dropped["undecodable"] = undecodable
    age = camera.last_frame_age_s
    state = camera.state
    if match.phase == "stopping" and state == "running":
        state = "stopping"
    if track.writer_error is not None:
        state = "error"
    return {
        "state": state,
        "uptime": round(match.uptime_s(track), 3),
        "fps": camera.status.get("fps", 0.0),
        "bitrate_bps": camera.status.get("bitrate_bps", 0),
        "frames": sum(s.frames for s in track.segments.values()),
        "dropped": dropped,
        "last_frame_age_s": None if age is None else round(age, 3),
        "segment": track.newest.name if track.newest else None,
        "segments": len(track.segments),
        "gaps": sum(1 for _ in track.all_gaps()),
        "transcoded": bool(camera.status.get("transcoded")),
        "disk": track.disk,
        "disk_error": track.disk_error,
        "backlog_bytes": int(recording.get("backlog_bytes") or 0),
        "sync_ms_max": recording.get("sync_ms_max", 0.0),
    }


def observation_of(match: Match) -> RecordingObservation:
    """Return the input for the health watch."""
    return RecordingObservation(
        match_id=match.match_id,
        age_s=min([match.part_age_s, *(t.listened_s for t in match.tracks.values())]),
        cameras=tuple(_observe(t) for t in match.tracks.values()),
        segments_dir_exists=match.segments_dir_exists,
        phase=match.phase,
    )


def _observe(track: Track) -> CameraObservation:
    camera, newest = track.camera, track.newest
    return CameraObservation(
        camera_id=camera.id,
        pipeline_present=camera.link.connected,
        pipeline_state=camera.state,
        footage=track.started,
        told_since=camera.statuses > track.told_before,
        segment_name=newest.name if newest else None,
        segment_index=newest.index if newest else 0,
        segment_size_bytes=newest.size_bytes if newest else 0,
        segment_age_s=track.unchanged_s,
        file_age_s=track.file_age_s,
        failed_permanently=bool(camera.status.get("failed_permanently")),
        last_frame_age_s=camera.last_frame_age_s,
        stalled=camera.status.get("state") == "stalled",
        disk=track.disk,
        disk_errno=track.disk_errno,
        writer_error=track.writer_error,
        recovering=track.lost,
        recovery_attempts=track.attempts,
        last_error=track.lost_reason or track.writer_error or track.disk_error,
        probe=track.probe,
    )


def explain_degraded(track: Track) -> str | None:
    """Return why this camera's footage is currently degraded."""
    if track.lost_reason is not None:
        return track.lost_reason
    if track.writer_error is not None:
        return f"footage cannot be written: {track.writer_error}"
    if track.disk != "ok":
        return f"disk {track.disk}: {track.disk_error}"
    return None


def _count_lost_since(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Return the frames lost in this match, by place.

    A restarted worker counts from zero.
    """
    return {
        place: count - before.get(place, 0) if count >= before.get(place, 0) else count
        for place, count in now.items()
    }


def _recovery(track: Track) -> CameraRecovery:
    status = track.camera.status
    return {
        "attempts": track.attempts,
        "recovering": track.lost,
        "failed_permanently": bool(status.get("failed_permanently")),
        "last_error": track.lost_reason,
        "last_recovery_ts": status.get("last_recovery_unix"),
    }
