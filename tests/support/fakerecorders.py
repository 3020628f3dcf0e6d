"""Recorders that record nothing: `Fake…` works, `Slow…`, `Never…` and `Bad…` misbehave."""

from __future__ import annotations

import time
from typing import Any

import anyio

from touchline.capture.library.manifest.matchid import valid_match_id
from touchline.core.errors import Blocked, Failed, NotFound
from touchline.core.tasks import Changed

PROTECTION_S = 10.0
CAMERAS = ("camera_0", "camera_1")


def overload_guard() -> dict[str, Any]:
    return {
        "active": False,
        "triggered_at": None,
        "last_evaluated_at": None,
        "unhealthy_streak": 0,
        "cpu_percent": None,
        "reasons": [],
        "health_healthy": None,
        "health_message": None,
    }


def stopped_camera() -> dict[str, Any]:
    return {
        "success": True,
        "eos_received": True,
        "timed_out": False,
        "error": None,
        "finalized": True,
        "segment_path": "/r/m/segments/cam0_20260211_220241_00.mp4",
        "integrity_checked": True,
        "integrity_ok": True,
        "integrity_error": None,
        "integrity_avg_frame_rate": "30/1",
    }


def camera_integrity() -> dict[str, Any]:
    return {
        "segment_found": True,
        "segment_path": "/r/m/segments/cam0_20260211_220241_00.mp4",
        "segment_size": 4_035_962,
        "integrity_checked": True,
        "integrity_ok": True,
        "integrity_error": None,
        "probe": {
            "checked": True,
            "ok": True,
            "error": None,
            "cached": False,
            "duration": "12.000000",
            "bit_rate": "2690641",
            "avg_frame_rate": "30/1",
        },
    }


def last_stop(match_id: str = "m1") -> dict[str, Any]:
    return {
        "id": "0123456789abcdef",
        "match_id": match_id,
        "stopped_at": 1_770_842_000.5,
        "success": False,
        "message": "Recording stop completed with camera errors",
        "duration": 5412.4,
        "gaps": [
            {
                "camera": "camera_1",
                "name": "RIGHT",
                "from_s": 61.2,
                "seconds": 4.5,
                "reason": "the worker exited: killed by signal 9",
                "kind": "worker",
                "ended": True,
            }
        ],
        "gaps_count": 1,
        "faults": [{"camera": "camera_1", "name": "RIGHT", "message": "the worker exited"}],
        "files_ok": True,
    }


class FakeRecorder:
    """Keeps the rules of a recorder (one match, a protection window) and records nothing."""

    def __init__(self) -> None:
        self.changed = Changed()
        self.match_id: str | None = None
        self.last_stop: dict[str, Any] | None = None
        self.age_s = 0.0
        """How old the running recording says it is."""

    def disk_minutes(self) -> float | None:
        return 480.0

    def status(self) -> dict[str, Any]:
        if self.match_id is None:
            return {
                "recording": False,
                "match_id": None,
                "duration": 0.0,
                "cameras": {},
                "degraded": False,
                "degraded_cameras": {},
                "camera_recovery": {},
                "overload_guard": overload_guard(),
            }
        return {
            "recording": True,
            "match_id": self.match_id,
            "duration": self.age_s,
            "cameras": {name: {"state": "running", "uptime": self.age_s} for name in CAMERAS},
            "protected": self.age_s < PROTECTION_S,
            "require_all_cameras": True,
            "degraded": False,
            "degraded_cameras": {},
            "camera_recovery": {
                name: {
                    "attempts": 0,
                    "recovering": False,
                    "failed_permanently": False,
                    "last_error": None,
                    "last_recovery_ts": None,
                }
                for name in CAMERAS
            },
            "losses": [],
            "overload_guard": overload_guard(),
        }

    def bitrate_bps(self) -> float | None:
        return 12_000_000.0

    async def start(
        self,
        match_id: str | None,
        *,
        force: bool,
        process_after_recording: bool,
        require_all: bool | None = None,
    ) -> dict[str, Any]:
        del process_after_recording
        assert match_id != "", "an empty id is to arrive as none at all"
        if match_id is not None:
            valid_match_id(match_id)
        if self.match_id is not None and not force:
            message = f"Already recording match: {self.match_id}"
            return {"success": False, "message": message, "code": "already_recording"}
        self.match_id = match_id or f"match_{int(time.time())}"
        self.changed.mark()
        return {
            "success": True,
            "message": f"Recording started for match: {self.match_id}",
            "match_id": self.match_id,
            "cameras_started": [0, 1],
            "cameras_failed": [],
            "require_all_cameras": require_all is not False,
        }

    async def stop(self, *, force: bool) -> dict[str, Any]:
        if self.match_id is None:
            message = "Not currently recording"
            return {"success": False, "message": message, "code": "not_recording"}
        if self.age_s < PROTECTION_S and not force:
            message = (
                f"Recording protected for {PROTECTION_S}s. Current duration: {self.age_s:.1f}s. "
                "Use force=True to override."
            )
            return {
                "success": False,
                "message": message,
                "code": "recording_protected",
                "protected": True,
            }
        self.match_id = None
        self.changed.mark()
        return {
            "success": True,
            "message": "Recording stopped successfully",
            "transport_success": True,
            "graceful_stop": True,
            "camera_stop_results": {name: stopped_camera() for name in CAMERAS},
            "integrity": {
                "checked": True,
                "all_ok": True,
                "reason": None,
                "cameras": {name: camera_integrity() for name in CAMERAS},
            },
        }

    async def dismiss_last_stop(self, verdict_id: str | None) -> dict[str, Any]:
        verdict, self.last_stop = self.last_stop, None
        if verdict is None or verdict_id not in {None, verdict["id"]}:
            self.last_stop = verdict
            raise NotFound("There is no such verdict of a stop", code="no_last_stop")
        self.changed.mark()
        return {"dismissed": verdict["id"]}

    def health(self) -> dict[str, Any]:
        if self.match_id is None:
            return {"healthy": True, "message": "No active recording"}
        return {
            "healthy": True,
            "message": "Recording healthy",
            "recovery_attempts": dict.fromkeys(CAMERAS, 0),
            "camera_diagnostics": {
                name: {
                    "pipeline_present": True,
                    "pipeline_state": "running",
                    "latest_segment": "cam0_20260211_220241_00.mp4",
                    "latest_segment_size": 4_035_962,
                    "latest_segment_age_seconds": 1.8,
                    "integrity_probe": {"checked": False, "ok": None, "error": None},
                }
                for name in CAMERAS
            },
        }


class SlowRecorder(FakeRecorder):
    """A stop takes until `may_end` is set, as with a disk that hangs; everything else goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping = anyio.Event()
        self.may_end = anyio.Event()

    async def stop(self, *, force: bool) -> dict[str, Any]:
        self.stopping.set()
        await self.may_end.wait()
        return await super().stop(force=force)


class NeverRecorder(FakeRecorder):
    """The cameras are never to be had."""

    async def start(
        self,
        match_id: str | None,
        *,
        force: bool,
        process_after_recording: bool,
        require_all: bool | None = None,
    ) -> dict[str, Any]:
        del match_id, force, process_after_recording
        raise Blocked(
            "Could not acquire camera resources for recording", code="cameras_busy", eta_s=1.5
        )


class BadRecorder(FakeRecorder):
    """Raises what nobody expects, with something in it that must not get out."""

    SECRET = "/home/operator/secret"

    def status(self) -> dict[str, Any]:
        raise RuntimeError(self.SECRET)

    async def stop(self, *, force: bool) -> dict[str, Any]:
        del force
        raise Failed("The recordings folder cannot be written", code="storage_failed")
