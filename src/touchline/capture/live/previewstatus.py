"""Parts of the preview's answers that follow from what is known. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from touchline.capture.live.answers import PreviewStarted, Transcode, WebRtcStream
from touchline.capture.settings.preview import Transport
from touchline.ipc import wire


def start_result(
    transport: Transport, started: Collection[int], reasons: Mapping[int, str]
) -> PreviewStarted:
    """Return the result of a start.

    `started` has the cameras that are shown, `reasons` those that are not.
    """
    shown, failed = sorted(started), sorted(reasons)
    if shown:
        result: PreviewStarted = {
            "success": True,
            "message": f"Preview started for cameras: {shown}",
            "transport": transport,
            "cameras_started": shown,
            "cameras_failed": failed,
        }
    else:
        message = "Failed to start any preview cameras"
        result = {"success": False, "message": message, "failed_cameras": failed}
    if failed:
        result["errors"] = {f"camera_{i}": reasons[i] for i in failed}
    return result


def transcode_of(live: Mapping[str, Any], camera: str) -> Transcode | None:
    """Return how viewers get a camera that reorders frames; None if it is passed on as is.

    `live` is the latest status of the live process.
    """
    found = live.get("transcodes", {}).get(camera)
    if found is not None:
        return {
            "state": found["state"],
            "reason": found["reason"],
            "error": found["error"],
            "viewers": found["viewers"],
            "over_hls": found.get("over_hls", False),  # missing in an earlier live process
        }
    stream = live.get("streams", {}).get(camera, {})
    if not stream.get("reorders"):
        return None
    reason = wire.REORDERS if stream.get("joinable", True) else wire.UNJOINABLE
    return {"state": "idle", "reason": reason, "error": None, "viewers": 0, "over_hls": False}


def webrtc_streams(live: Mapping[str, Any], camera_ids: Mapping[str, int]) -> list[WebRtcStream]:
    """Return the WebRTC sessions of the live process; `camera_ids` has the cameras by name."""
    return [
        {
            "session_id": session["session"],
            "stream_kind": _kind_of(str(session["camera"])),
            "camera_id": camera_ids.get(session["camera"]),
            "connection_id": session["viewer"],
        }
        for session in live.get("webrtc_sessions", ())
    ]


def _kind_of(stream: str) -> str:
    """Return the contract's name for a stream."""
    return f"main_{stream}" if stream.startswith("cam") else stream
