"""Stand-ins for the halves of the system: `Fake…` works, `Slow…`, `Never…` and `Bad…` misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from pydantic import SecretStr

from support.fakeengines import MemoryEvents
from support.fakelibrary import FakeLibrary
from support.half import idle_half, settings_for
from support.libraryservices import idle_services
from support.supervised import supervisor as idle_supervisor
from touchline.capture.host.machine import MachineSampler
from touchline.capture.library.manifest.matchid import valid_match_id
from touchline.capture.live.stills import Still
from touchline.capture.logs.catalogue import Logs
from touchline.capture.logs.diagnostics import Diagnostics
from touchline.capture.processing.removal import Removal
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.errors import Blocked, Failed, NotFound
from touchline.core.history.keeper import HistoryKeeper
from touchline.core.history.rings import History
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Changed
from touchline.engines import Engines
from touchline.engines.settings.tree import EnginesSettings
from touchline.settings import HttpSettings
from touchline.system import HISTORY

PROTECTION_S = 10.0
CAMERAS = ("camera_0", "camera_1")


@dataclass(frozen=True)
class FakeReport:
    """What a start or a stop returned."""

    value: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.value)


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


class FakeRecorder:
    """Keeps the rules of a recorder (one match, a protection window) and records nothing."""

    def __init__(self) -> None:
        self.changed = Changed()
        self.match_id: str | None = None
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
    ) -> FakeReport:
        del process_after_recording
        assert match_id != "", "an empty id is to arrive as none at all"
        if match_id is not None:
            valid_match_id(match_id)
        if self.match_id is not None and not force:
            message = f"Already recording match: {self.match_id}"
            return FakeReport({"success": False, "message": message})
        self.match_id = match_id or f"match_{int(time.time())}"
        self.changed.mark()
        return FakeReport(
            {
                "success": True,
                "message": f"Recording started for match: {self.match_id}",
                "match_id": self.match_id,
                "cameras_started": [0, 1],
                "cameras_failed": [],
                "require_all_cameras": require_all is not False,
            }
        )

    async def stop(self, *, force: bool) -> FakeReport:
        if self.match_id is None:
            return FakeReport({"success": False, "message": "Not currently recording"})
        if self.age_s < PROTECTION_S and not force:
            message = (
                f"Recording protected for {PROTECTION_S}s. Current duration: {self.age_s:.1f}s. "
                "Use force=True to override."
            )
            return FakeReport({"success": False, "message": message, "protected": True})
        self.match_id = None
        self.changed.mark()
        return FakeReport(
            {
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
        )

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

    async def stop(self, *, force: bool) -> FakeReport:
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
    ) -> FakeReport:
        del match_id, force, process_after_recording
        raise Blocked(
            "Could not acquire camera resources for recording", code="cameras_busy", eta_s=1.5
        )


class BadRecorder(FakeRecorder):
    """Raises what nobody expects, with something in it that must not get out."""

    SECRET = "/home/operator/secret"

    def status(self) -> dict[str, Any]:
        raise RuntimeError(self.SECRET)

    async def stop(self, *, force: bool) -> FakeReport:
        del force
        raise Failed("The recordings folder cannot be written", code="storage_failed")


class FakePreview:
    """Says that it shows what it was asked to show."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.while_recording = False

    async def start(self, camera_id: int | None, transport: str | None) -> FakeReport:
        self.calls.append(("start", camera_id, transport))
        return FakeReport({"success": True, "message": "Preview started"})

    async def stop(self, camera_id: int | None) -> FakeReport:
        self.calls.append(("stop", camera_id))
        return FakeReport({"success": True, "message": "Preview stopped"})

    async def restart(self, camera_id: int | None, transport: str | None) -> FakeReport:
        self.calls.append(("restart", camera_id, transport))
        done = {"success": True, "message": "done"}
        report = {**done, "message": "Restart: done -> done"}
        return FakeReport({**report, "stop_result": done, "start_result": done})

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

    def on_message(self, send: Callable[[str, dict[str, Any]], None]) -> None:
        self.send = send

    async def handle(self, connection_id: str, message: dict[str, Any]) -> list[dict[str, Any]]:
        del connection_id, message
        return [{"type": "webrtc_error", "data": {"error": "WebRTC runtime is not available"}}]

    async def closed(self, connection_id: str) -> None:
        del connection_id


class FakeHost:
    """A machine that is well."""

    def health(self) -> dict[str, Any]:
        return {
            "status": "healthy",
            "system": {
                "cpu_percent": 7.6,
                "memory_percent": 38.5,
                "memory_available_gb": 4.58,
                "disk_free_gb": 135.61,
                "disk_percent": 38.8,
            },
        }


class FakeCameras:
    """Two cameras that run."""

    def status(self) -> list[dict[str, Any]]:
        return [
            {
                "id": number,
                "name": f"camera {number}",
                "kind": "test",
                "state": "running",
                "recovering": False,
                "fps": 30.0,
                "bitrate_bps": 12_000_000,
                "last_frame_age_s": 0.03,
                "dropped": {"source": 0, "queue": 0},
                "last_error": None,
            }
            for number in (0, 1)
        ]


@dataclass
class FakeCapture:
    """The front door of filming; give it another recorder or library to see something fail."""

    library: Any
    logs: Logs
    diagnostics: Diagnostics
    recorder: FakeRecorder = field(default_factory=FakeRecorder)
    host: FakeHost = field(default_factory=FakeHost)
    machine: MachineSampler = field(default_factory=lambda: MachineSampler(lambda: None))
    cameras: FakeCameras = field(default_factory=FakeCameras)
    preview: FakePreview = field(default_factory=FakePreview)
    live: FakeLive = field(default_factory=FakeLive)
    stills: FakeStills = field(default_factory=FakeStills)
    signalling: FakeSignalling = field(default_factory=FakeSignalling)
    panorama: Any = None
    processing: Any = None
    jobs: Any = None
    footage: Any = None
    clips: Any = None
    markers: Any = None
    cloud: Any = None
    supervisor: Supervisor = field(default_factory=idle_supervisor)

    def reasons(self) -> list[dict[str, str]]:
        return self.supervisor.reasons()

    def preview_status(self) -> dict[str, Any]:
        return preview_status()

    async def delete_match(self, match_id: str) -> dict[str, Any]:
        return await Removal(self.library, self.jobs).delete(match_id)

    def process_with(self, folder: Path, library: Any) -> None:
        """Panorama and post-processing of the matches in this library."""
        services = idle_services(folder, library)
        self.panorama, self.processing = services.panorama, services.processing
        self.jobs, self.footage = services.jobs, services.footage
        self.clips, self.markers = services.clips, services.markers
        self.cloud = services.cloud

    def news(self) -> tuple[Changed, ...]:
        return (self.recorder.changed,)

    def mode(self) -> dict[str, Any]:
        recording = self.recorder.match_id is not None
        return {
            "mode": "recording" if recording else "idle",
            "holder": f"api-recording-{self.recorder.match_id}" if recording else None,
            "lock_time": "2026-02-11T22:02:41.000000" if recording else None,
            "can_preview": not recording,
            "can_record": not recording,
        }


@dataclass
class FakeAuth:
    mode: str = "auto"
    api_key: SecretStr | None = None
    cors_origins: tuple[str, ...] = ()
    reads: bool = False
    link_lifetime_s: int = 12 * 3600


@dataclass
class FakeWebSocket:
    max_connections: int = 10


@dataclass
class FakeSettings:
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8000
    auth: FakeAuth = field(default_factory=FakeAuth)
    websocket: FakeWebSocket = field(default_factory=FakeWebSocket)
    http: HttpSettings = field(default_factory=lambda: HttpSettings.model_validate({}))
    capture: CaptureSettings = field(default_factory=CaptureSettings)
    engines: EnginesSettings = field(default_factory=settings_for)
    engines_configured: bool = False
    docker_variables: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


class AwayDatabase:
    """A database that does not answer."""

    generation = 0

    async def read(self, work: Any) -> Any:
        raise Failed("The database is away", code="database_failed")

    async def write(self, work: Any) -> Any:
        raise Failed("The database is away", code="database_failed")


@dataclass
class FakeSystem:
    """What `create_app` is given; `make` fills it with parts that work."""

    settings: FakeSettings
    capture: FakeCapture
    metrics: Metrics = field(default_factory=Metrics)
    events: Any = field(default_factory=MemoryEvents)
    database: Any = field(default_factory=AwayDatabase)
    engines: Engines = field(default_factory=lambda: idle_half().front)
    history: HistoryKeeper = field(
        default_factory=lambda: HistoryKeeper(History(HISTORY), dict, Path("/nonexistent/history"))
    )

    @classmethod
    def make(cls, folder: Path) -> FakeSystem:
        library, logs = FakeLibrary(folder / "recordings"), folder / "logs"
        capture = FakeCapture(library, Logs(logs), Diagnostics(logs))
        capture.process_with(folder, library)
        (folder / "variants").mkdir(exist_ok=True)
        # More than any test asks for: nobody is to wait for capacity.
        settings = settings_for(scaling={"max_replicas": 10_000})
        rig = idle_half(settings, directory=folder / "variants")
        return cls(FakeSettings(folder), capture, engines=rig.front)
