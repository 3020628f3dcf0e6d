"""The live half's state in the contract's form. Nothing is shown live yet: all is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from touchline.capture.cameras import Camera


def preview_status(cameras: Mapping[int, Camera]) -> dict[str, Any]:
    """PreviewStatus: which cameras are shown, how, and to whom."""
    return {
        "preview_active": False,
        "cameras": {camera.key: _stopped(camera) for camera in cameras.values()},
        "transport_mode": "dual",
        "webrtc_supported": False,
        "ice_servers": [],
        "webrtc_streams": [],
        "relay": None,
    }


def _stopped(camera: Camera) -> dict[str, Any]:
    kind = f"main_{camera.name}"
    return {
        "active": False,
        "state": "stopped",
        "uptime": 0.0,
        "hls_url": f"/hls/{camera.name}.m3u8",
        "transport": "hls",
        "stream_kind": kind,
        "webrtc": {"enabled": False, "stream_kind": kind},
    }
