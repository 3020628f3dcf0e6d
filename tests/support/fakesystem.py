"""Stand-ins for the halves of the system, which work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from support.fakeengines import MemoryEvents
from support.fakelibrary import FakeLibrary
from support.fakelive import FakeLive, FakePreview, FakeSignalling, FakeStills, preview_status
from support.fakerecorders import FakeRecorder
from support.half import idle_half, settings_for
from support.libraryservices import idle_services
from support.supervised import supervisor as idle_supervisor
from touchline.capture.front import Capture
from touchline.capture.host.machine import MachineSampler
from touchline.capture.library.answers import Deleted
from touchline.capture.library.trash.answers import MovedToTrash
from touchline.capture.logs.catalogue import Logs
from touchline.capture.logs.diagnostics import Diagnostics
from touchline.capture.processing.removal import Removal
from touchline.capture.recording.answers import StartReport
from touchline.capture.settings.tree import CaptureSettings
from touchline.core.errors import Failed
from touchline.core.history.rings import History
from touchline.core.history.saved import SavedHistory
from touchline.core.metrics import Metrics
from touchline.core.supervision import ReadinessReason, Supervisor
from touchline.core.tasks import Changed
from touchline.engines import Engines
from touchline.engines.settings.tree import EnginesSettings
from touchline.settings import HttpSettings
from touchline.system import HISTORY


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
    details: Any = None
    posters: Any = None
    removal: Any = None
    trash: Any = None
    cloud: Any = None
    supervisor: Supervisor = field(default_factory=idle_supervisor)

    def reasons(self) -> list[ReadinessReason]:
        return self.supervisor.reasons()

    def preview_status(self) -> dict[str, Any]:
        return preview_status()

    def status(self) -> dict[str, Any]:
        return {
            "recording": self.recorder.status(),
            "preview": self.preview_status(),
            "last_stop": self.recorder.last_stop,
        }

    def cameras_status(self) -> dict[str, Any]:
        return {
            "cameras": self.cameras.status(),
            "disk_minutes_left": self.recorder.disk_minutes(),
        }

    async def start_recording(self, match_id: str | None, **options: Any) -> StartReport:
        return await Capture.start_recording(cast("Any", self), match_id, **options)

    async def delete_match(self, match_id: str) -> Deleted:
        return await Removal(self.library, self.jobs).delete(match_id)

    async def trash_match(self, match_id: str) -> MovedToTrash:
        moved: MovedToTrash = await self.trash.put(match_id)
        await self.removal.drop_jobs(match_id)
        return moved

    def process_with(self, folder: Path, library: Any) -> None:
        """Panorama and post-processing of the matches in this library."""
        services = idle_services(folder, library)
        self.panorama, self.processing = services.panorama, services.processing
        self.jobs, self.footage = services.jobs, services.footage
        self.clips, self.markers = services.clips, services.markers
        self.cloud, self.details = services.cloud, services.details
        self.removal, self.trash = services.removal, services.trash
        self.posters = services.posters

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
    history: SavedHistory = field(
        default_factory=lambda: SavedHistory(History(HISTORY), dict, Path("/nonexistent/history"))
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
