"""The JSON examples of the API contract, as published, by what they are examples of."""

from __future__ import annotations

from typing import Any

START_BODY: dict[str, Any] = {
    "match_id": "match_20260211_001",
    "force": False,
    "process_after_recording": False,
}

HEALTH: dict[str, Any] = {
    "status": "healthy",
    "system": {
        "cpu_percent": 7.6,
        "memory_percent": 38.5,
        "memory_available_gb": 4.58,
        "disk_free_gb": 135.61,
        "disk_percent": 38.8,
    },
}

STATUS: dict[str, Any] = {
    "recording": {
        "recording": False,
        "match_id": None,
        "duration": 0.0,
        "cameras": {},
        "degraded": False,
        "degraded_cameras": {},
        "camera_recovery": {},
        "overload_guard": {
            "active": False,
            "unhealthy_streak": 0,
            "cpu_percent": None,
            "reasons": [],
        },
    },
    "preview": {
        "preview_active": False,
        "transport_mode": "dual",
        "webrtc_supported": True,
        "ice_servers": [{"urls": ["stun://stun.l.google.com:19302"]}],
        "cameras": {
            "camera_0": {
                "active": False,
                "state": "stopped",
                "uptime": 0.0,
                "hls_url": "/hls/cam0.m3u8",
                "transport": "hls",
                "stream_kind": "main_cam0",
            },
            "camera_1": {
                "active": False,
                "state": "stopped",
                "uptime": 0.0,
                "hls_url": "/hls/cam1.m3u8",
                "transport": "hls",
                "stream_kind": "main_cam1",
            },
        },
    },
}

PIPELINE_STATE: dict[str, Any] = {
    "mode": "idle",
    "holder": None,
    "lock_time": None,
    "can_preview": True,
    "can_record": True,
}

START: dict[str, Any] = {
    "success": True,
    "message": "Recording started for match: match_20260211_001",
    "match_id": "match_20260211_001",
    "cameras_started": [0, 1],
    "cameras_failed": [],
    "require_all_cameras": True,
}


def _segment_path(camera: int) -> str:
    folder = "/mnt/recordings/match_20260211_001/segments"
    return f"{folder}/cam{camera}_20260211_220241_00.mp4"


def _stopped_camera(camera: int) -> dict[str, Any]:
    return {
        "success": True,
        "eos_received": True,
        "finalized": True,
        "timed_out": False,
        "error": None,
        "segment_path": _segment_path(camera),
        "integrity_checked": True,
        "integrity_ok": True,
        "integrity_error": None,
    }


def _checked_camera(camera: int) -> dict[str, Any]:
    return {
        "segment_found": True,
        "segment_path": _segment_path(camera),
        "integrity_checked": True,
        "integrity_ok": True,
        "integrity_error": None,
    }


STOP: dict[str, Any] = {
    "success": True,
    "message": "Recording stopped successfully",
    "transport_success": True,
    "graceful_stop": True,
    "camera_stop_results": {"camera_0": _stopped_camera(0), "camera_1": _stopped_camera(1)},
    "integrity": {
        "checked": True,
        "all_ok": True,
        "reason": None,
        "cameras": {"camera_0": _checked_camera(0), "camera_1": _checked_camera(1)},
    },
}

RECORDING_HEALTH: dict[str, Any] = {
    "healthy": True,
    "message": "Recording healthy",
    "recovery_attempts": {"camera_0": 0, "camera_1": 0},
    "camera_diagnostics": {
        "camera_0": {
            "pipeline_present": True,
            "pipeline_state": "running",
            "latest_segment": "cam0_20260211_220241_00.mp4",
            "latest_segment_size": 4035962,
            "latest_segment_age_seconds": 1.8,
            "integrity_probe": {"checked": False, "ok": None, "error": None},
        }
    },
}

HTTP_ERROR: dict[str, Any] = {"detail": "..."}
REFUSAL: dict[str, Any] = {"success": False, "message": "..."}
