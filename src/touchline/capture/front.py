"""Public interface of the capture half."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from touchline.capture.answers import CamerasStatus, Status
from touchline.capture.cameras.answers import CameraStatus, PipelineState
from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.host.host import HostSampler
from touchline.capture.host.machine import MachineSampler
from touchline.capture.library.answers import Deleted
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.manifest.detailsfile import Details
from touchline.capture.library.markers import Markers
from touchline.capture.library.playback.clips import Clips
from touchline.capture.library.playback.footage import Footage
from touchline.capture.library.playback.posters import Posters
from touchline.capture.library.trash.answers import MovedToTrash
from touchline.capture.library.trash.trash import Trash
from touchline.capture.live.answers import PreviewStatus
from touchline.capture.live.preview import Preview
from touchline.capture.live.sessions import WebRtcSessions
from touchline.capture.live.signalling import Signalling
from touchline.capture.live.stills import Stills
from touchline.capture.logs.catalogue import Logs
from touchline.capture.logs.diagnostics import Diagnostics
from touchline.capture.panorama.panorama import Panorama
from touchline.capture.processing.cloud import Cloud
from touchline.capture.processing.jobs import JobQueue
from touchline.capture.processing.processing import Processing
from touchline.capture.processing.removal import Removal
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.recording.answers import StartReport
from touchline.capture.recording.recorder import Recorder
from touchline.core.errors import TouchlineError
from touchline.core.supervision import ReadinessReason, Supervisor
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cameras:
    """Cameras by number."""

    by_id: Mapping[int, Camera]

    def status(self) -> list[CameraStatus]:
        """Return configuration and state of each camera, from memory."""
        return [camera.to_json() for _, camera in sorted(self.by_id.items())]


@dataclass(frozen=True)
class Capture:
    """Interface of the capture half to all other code."""

    cameras: Cameras
    recorder: Recorder
    library: Library
    host: HostSampler
    lease: CameraLease
    machine: MachineSampler
    logs: Logs
    diagnostics: Diagnostics
    preview: Preview
    live: LiveLink
    stills: Stills
    sessions: WebRtcSessions
    signalling: Signalling
    panorama: Panorama
    processing: Processing
    jobs: JobQueue
    footage: Footage
    clips: Clips
    markers: Markers
    details: DetailsStore
    posters: Posters
    removal: Removal
    trash: Trash
    cloud: Cloud
    supervisor: Supervisor

    def reasons(self) -> list[ReadinessReason]:
        """Return what currently fails in this half's background work, for readiness."""
        return self.supervisor.reasons()

    async def start_recording(
        self,
        match_id: str | None,
        *,
        force: bool,
        process_after_recording: bool,
        require_all: bool | None = None,
        details: Details | None = None,
    ) -> StartReport:
        """Start recording a match, store its details, and return the report.

        A recording that runs is a success, whether its details can be stored or not. Raises what
        `Recorder.start` raises.
        """
        report = await self.recorder.start(
            match_id,
            force=force,
            process_after_recording=process_after_recording,
            require_all=require_all,
        )
        recorded = report.get("match_id")
        if details is None or recorded is None or not report["success"]:
            return report
        try:
            await self.details.put(recorded, details)
        except TouchlineError as error:
            warning = f"The match is recorded without its details: {error.message}"
            log.warning("%s", warning)
            # The report itself is that of every client that waited for this start.
            return {**report, "warnings": [warning], "details_saved": False}
        return report

    async def delete_match(self, match_id: str) -> Deleted:
        """Delete a match with all its files and jobs.

        Raises NotFound, and Refused for a running or protected match.
        """
        return await self.removal.delete(match_id)

    async def trash_match(self, match_id: str) -> MovedToTrash:
        """Move a match to the trash, and remove its jobs.

        Raises NotFound, Failed, and Refused for a running or protected match.
        """
        moved = await self.trash.put(match_id)
        await self.removal.drop_jobs(match_id)
        return moved

    def mode(self) -> PipelineState:
        """Return the use of the cameras, the body of `GET /api/v1/pipeline-state`."""
        return self.lease.to_json()

    def news(self) -> tuple[Changed, ...]:
        """Return the marks set when the status or the mode changes.

        Changes of figures alone set no mark.
        """
        return (self.recorder.changed, self.lease.changed, self.preview.changed)

    def status(self) -> Status:
        """Return the state of the recording and the preview, the body of `GET /api/v1/status`."""
        return {
            "recording": self.recorder.status(),
            "preview": self.preview_status(),
            "last_stop": self.recorder.last_stop,
        }

    def preview_status(self) -> PreviewStatus:
        """Return the contract's PreviewStatus."""
        return self.preview.status()

    def cameras_status(self) -> CamerasStatus:
        """Return the state of all cameras, the body of `GET /api/v1/cameras`."""
        return {
            "cameras": self.cameras.status(),
            "disk_minutes_left": self.recorder.disk_minutes(),
        }
