"""A recorder with everything around it, on fake workers: what the tests of recording stand on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from support.fakefleet import FakeFleet, fake_fleet
from support.libraryservices import idle_services, trash_of
from support.supervised import supervisor
from touchline.capture.cameras.cameras import Camera, open_cameras
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.cameras.news import CameraNews
from touchline.capture.library.library import Library
from touchline.capture.library.libraryrecord import LibraryRecord
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import segment_files
from touchline.capture.library.recordingsdisk import RecordingsDisk
from touchline.capture.library.verification.probe import Probe
from touchline.capture.logs.alerts import Alert
from touchline.capture.processing.removal import Removal
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.health.space import Space
from touchline.capture.recording.recorder import Recorder
from touchline.capture.recording.running import CurrentRecording
from touchline.capture.recording.verdict.laststop import FILE_NAME, LastStopStore
from touchline.capture.settings.tree import MIB, CaptureSettings
from touchline.core.descriptors import SpareDescriptors
from touchline.core.supervision import Tasks, open_tasks
from touchline.core.tasks import Changed
from touchline.core.wallclock import ReadClocks, read_clocks
from touchline.media.storage.diskspace import DiskSpace

DEADLINE_S = 60.0


def removal(library: Library, folder: Path) -> Removal:
    """Deletes from the library; there are no jobs."""
    return Removal(library, idle_services(folder, library).jobs)


@dataclass
class SentAlerts:
    sent: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        self.sent.append(alert)

    def types(self) -> list[str]:
        return [alert.event_type for alert in self.sent]


class FakeHost:
    disk: DiskSpace | None = DiskSpace(1000 << 30, 500 << 30, 500 << 30)
    disk_free_bytes: int | None = 500 << 30
    sample = None


class FakeProber:
    async def probe(self, path: Path) -> Probe:
        return Probe(checked=True, ok=True, avg_frame_rate="25/1")


class FakeEvents:
    def __init__(self) -> None:
        self.recorded: list[tuple[str, str, str]] = []
        self.details: list[dict[str, Any]] = []

    def record(self, type_: str, category: str, message: str, **details: Any) -> None:
        self.recorded.append((type_, category, message))
        self.details.append(details)


@dataclass
class Studio:
    root: Path
    settings: CaptureSettings
    fleet: FakeFleet
    recorder: Recorder
    lease: CameraLease
    context: RecordingContext
    alerts: SentAlerts
    events: FakeEvents

    async def start(
        self, match_id: str | None = "m1", *, force: bool = False, require_all: bool | None = None
    ) -> dict[str, Any]:
        report = await self.recorder.start(
            match_id, force=force, process_after_recording=False, require_all=require_all
        )
        return dict(report)

    async def stop(self, *, force: bool = True) -> dict[str, Any]:
        return dict(await self.recorder.stop(force=force))

    def status(self) -> dict[str, Any]:
        return dict(self.recorder.status())

    def manifest(self, match_id: str = "m1") -> Manifest:
        manifest = manifestfile.load(self.root / match_id)
        assert manifest is not None
        return manifest

    def files(self, match_id: str = "m1") -> list[str]:
        return [path.name for path in segment_files(self.root / match_id)]

    def is_free(self) -> bool:
        return self.lease.mode == "idle" and not self.recorder.status()["recording"]


async def until(condition: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> None:
    """Wait until it is so; fail where it is not within the time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        await anyio.sleep(0.005)


@asynccontextmanager
async def studio(
    folder: Path,
    *,
    fleet: FakeFleet | None = None,
    leave_recording: bool = False,
    clocks: ReadClocks = read_clocks,
    **settings: Any,
) -> AsyncIterator[Studio]:
    """Two cameras and a recorder that has adopted what was there; the fleet outlives it if given.

    With `leave_recording` it ends as after kill -9: nothing is stopped, the workers go on.
    """
    root, runtime = folder / "recordings", folder / "run"
    root.mkdir(exist_ok=True)
    runtime.mkdir(exist_ok=True)
    if fleet is None:
        with fake_fleet(runtime) as own:
            async with studio(
                folder, fleet=own, leave_recording=leave_recording, clocks=clocks, **settings
            ) as it:
                yield it
        return
    configured = configured_with(**settings)
    alerts, events, lease = SentAlerts(), FakeEvents(), CameraLease()
    news = CameraNews()
    cameras = {
        number: Camera(
            number, source, configured, runtime_dir=runtime, log_dir=folder / "log", listener=news
        )
        for number, source in configured.cameras.items()
    }
    async with (
        open_tasks(supervisor(events.record)) as tasks,
        _cameras(cameras, fleet, killed=leave_recording),
    ):
        context = desk_in(folder, configured, cameras, alerts, events, tasks, clocks)
        recorder = Recorder(context, lease)
        await adopted(recorder, cameras, news)
        yield Studio(root, configured, fleet, recorder, lease, context, alerts, events)
        if not leave_recording:
            with anyio.fail_after(DEADLINE_S):
                await recorder.close()


def configured_with(**settings: Any) -> CaptureSettings:
    """Settings of two cameras that a test can wait for."""
    chosen = {
        "cameras": {n: {"kind": "test", "name": f"CAM {n}"} for n in (0, 1)},
        "min_free_bytes": 16 * MIB,
        "protection_s": 0,
        "start_timeout_s": 1,
        "stop_timeout_s": 1,
        "unresponsive_after_s": 1,
        "stall_after_s": 0.3,
        "overload_guard_enabled": False,
        **settings,
    }
    return CaptureSettings.model_validate(chosen)


def desk_in(
    folder: Path,
    settings: CaptureSettings,
    cameras: Mapping[int, Camera],
    alerts: SentAlerts,
    events: FakeEvents,
    tasks: Tasks,
    clocks: ReadClocks,
) -> RecordingContext:
    """Put together what a recorder works with."""
    root, current, changed = folder / "recordings", CurrentRecording(), Changed()
    library = Library(root, is_running=current.is_running)
    return RecordingContext(
        settings=settings,
        root=root,
        cameras=cameras,
        host=FakeHost(),  # type: ignore[arg-type]
        alerts=alerts,  # type: ignore[arg-type]
        events=events,  # type: ignore[arg-type]
        prober=FakeProber(),  # type: ignore[arg-type]
        disk=RecordingsDisk(root, folder, require_mount=False),
        space=Space(
            removal(library, folder),
            trash_of(root, library, events=events),
            root,
            floor_bytes=1,
            deletes_matches=settings.delete_oldest_when_full,
        ),
        record=LibraryRecord(root, folder / "library.json"),
        spare=SpareDescriptors(0),
        current=current,
        last_stop=LastStopStore(folder / FILE_NAME, changed),
        tasks=tasks,
        finished=lambda _: None,
        clocks=clocks,
        changed=changed,
    )


async def adopted(recorder: Recorder, cameras: Mapping[int, Camera], news: CameraNews) -> None:
    """Have the recorder hear of the cameras, and adopt what they record."""
    news.on_connected(recorder.follower.camera_connected)
    news.on_event(recorder.follower.camera_event)
    news.on_lost(recorder.follower.camera_lost)
    recorder.begin()
    with anyio.move_on_after(DEADLINE_S):
        for camera in cameras.values():
            await camera.ready.wait()
    await recorder.adopt(news.hellos)


@asynccontextmanager
async def _cameras(
    cameras: Mapping[int, Camera], fleet: FakeFleet, *, killed: bool
) -> AsyncIterator[None]:
    if not killed:
        async with open_cameras(cameras, supervisor()):
            yield
        return
    async with anyio.create_task_group() as tasks:
        for camera in cameras.values():
            tasks.start_soon(camera.link.run)
        yield
        for camera in cameras.values():
            camera.link._leaving.set()
        for worker in fleet.workers.values():
            worker.close_connection()
