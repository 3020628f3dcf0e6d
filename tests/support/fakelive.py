"""Live view without a live process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.capture.live.stills import Still
from touchline.core.errors import Failed, NotFound


class FakePreview:
    """Says that it shows what it was asked to show."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.while_recording = False

    async def start(self, camera_id: int | None, transport: str | None) -> dict[str, Any]:
        self.calls.append(("start", camera_id, transport))
        return {"success": True, "message": "Preview started"}

    async def stop(self, camera_id: int | None) -> dict[str, Any]:
        self.calls.append(("stop", camera_id))
        return {"success": True, "message": "Preview stopped"}

    async def restart(self, camera_id: int | None, transport: str | None) -> dict[str, Any]:
        self.calls.append(("restart", camera_id, transport))
        done = {"success": True, "message": "done"}
        report = {**done, "message": "Restart: done -> done"}
        return {**report, "stop_result": done, "start_result": done}

    def status(self, *, with_credentials: bool = False) -> dict[str, Any]:
        self.calls.append(("status", with_credentials))
        return preview_status()

    def allow_while_recording(self, *, allowed: bool) -> None:
        self.while_recording = allowed

    def camera_id(self, name: str) -> int:
        if name not in {"cam0", "cam1"}:
            raise NotFound(f"Camera {name} does not exist", code="camera_unknown")
        return int(name.removeprefix("cam"))

    def shows_hls(self, camera_id: int) -> bool:
        return camera_id == 0


class FakeStills:
    """Has one picture of camera 0, and none of any other."""

    async def take(self, camera_id: int) -> Still:
        if camera_id != 0:
            raise NotFound(f"Camera {camera_id} does not exist", code="camera_unknown")
        return Still(b"\xff\xd8 a picture", 1_770_837_041.0)


class FakeLive:
    """A live process that never has anything ready."""

    hls_dir: Path | None = None

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        del do, timeout_s, fields
        raise Failed("the requested segment was not available in time", code="hls_not_ready")


def preview_status() -> dict[str, Any]:
    return {
        "preview_active": False,
        "cameras": {
            f"camera_{number}": {
                "active": False,
                "state": "stopped",
                "uptime": 0.0,
                "hls_url": f"/hls/cam{number}.m3u8",
                "transport": "hls",
                "stream_kind": f"main_cam{number}",
                "webrtc": {"enabled": False, "stream_kind": f"main_cam{number}"},
            }
            for number in (0, 1)
        },
        "transport_mode": "hls",
        "webrtc_supported": False,
        "ice_servers": [],
        "webrtc_streams": [],
        "relay": None,
    }


class FakeSignalling:
    """Has no live process to pass anything on to."""

    async def handle(
        self,
        connection_id: str,
        message: dict[str, Any],
        send: Callable[[str, dict[str, Any]], None],
    ) -> list[dict[str, Any]]:
        del connection_id, message, send
        return [{"type": "webrtc_error", "data": {"error": "WebRTC runtime is not available"}}]

    async def closed(self, connection_id: str) -> None:
        del connection_id
