"""Recording of a match's cameras, and storage of the recordings.

`open_capture` starts the capture half; all other code uses only the `Capture` that it yields.
"""

from __future__ import annotations

from touchline.capture.answers import CamerasStatus, Status
from touchline.capture.cameras.answers import PipelineState
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.front import Capture
from touchline.capture.host.answers import HostHealth, SystemMetrics
from touchline.capture.jobkinds.kinds import JobKindName
from touchline.capture.library.answers import (
    Deleted,
    MarkerKind,
    MarkerList,
    MarkerRemoved,
    MarkerState,
    Protection,
    Recordings,
    Segments,
)
from touchline.capture.library.library import Library
from touchline.capture.library.manifest.detailsfile import Day, Details, MatchDetails, Name, Note
from touchline.capture.library.playback.clips import Clip, MatchTimes
from touchline.capture.library.playback.footage import ARCHIVES
from touchline.capture.library.playback.playback import Container
from touchline.capture.library.stretches import MatchInterval
from touchline.capture.library.trash.answers import (
    MovedToTrash,
    PurgedMatches,
    RestoredMatch,
    TrashListing,
)
from touchline.capture.library.verification.answers import Verification
from touchline.capture.live.answers import (
    Done,
    PanoramaPreviewStarted,
    PreviewRestarted,
    PreviewStarted,
    PreviewStatus,
    PreviewStopped,
)
from touchline.capture.live.preview import RECORDING_ACTIVE, Preview
from touchline.capture.live.sessions import WebRtcSession
from touchline.capture.live.signalling import Signalling
from touchline.capture.live.stills import Stills
from touchline.capture.logs.answers import (
    LogFileList,
    LogFileTail,
    LogTail,
    RecordingCorrelations,
)
from touchline.capture.logs.catalogue import LOG_TYPES
from touchline.capture.opening import open_capture, recordings_disk
from touchline.capture.panorama.answers import (
    CalibrationCaptured,
    CalibrationCompleted,
    CalibrationDetails,
    CalibrationList,
    CalibrationStatus,
    PanoramaConfig,
    PanoramaConfigUpdated,
    PanoramaProcessStarted,
    PanoramaProcessStatus,
    PanoramaStats,
    PanoramaStatus,
)
from touchline.capture.panorama.panorama import calibration_completed
from touchline.capture.processing.answers import (
    CloudArchives,
    CloudFiles,
    JobList,
    JobRemoved,
    JobState,
    MadeOfMatch,
    ProcessingStatus,
)
from touchline.capture.recording.answers import RecordingStatus, StartReport, StopReport
from touchline.capture.recording.health.answers import RecordingHealth
from touchline.capture.recording.recorder import Recorder
from touchline.capture.recording.verdict.answers import LastStopDismissed
from touchline.capture.settings.answers import IceServer
from touchline.capture.settings.tree import DEMO_CAMERAS, CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS

__all__ = [
    "ARCHIVES",
    "DEMO_CAMERAS",
    "LOG_TYPES",
    "PROBED_ELEMENTS",
    "RECORDING_ACTIVE",
    "CalibrationCaptured",
    "CalibrationCompleted",
    "CalibrationDetails",
    "CalibrationList",
    "CalibrationStatus",
    "CamerasStatus",
    "Capture",
    "CaptureSettings",
    "Clip",
    "CloudArchives",
    "CloudFiles",
    "Container",
    "Day",
    "Deleted",
    "Details",
    "Done",
    "HostHealth",
    "IceServer",
    "JobKindName",
    "JobList",
    "JobRemoved",
    "JobState",
    "LastStopDismissed",
    "Library",
    "LogFileList",
    "LogFileTail",
    "LogTail",
    "MadeOfMatch",
    "MarkerKind",
    "MarkerList",
    "MarkerRemoved",
    "MarkerState",
    "MatchDetails",
    "MatchInterval",
    "MatchTimes",
    "MovedToTrash",
    "Name",
    "Note",
    "PanoramaConfig",
    "PanoramaConfigUpdated",
    "PanoramaPreviewStarted",
    "PanoramaProcessStarted",
    "PanoramaProcessStatus",
    "PanoramaStats",
    "PanoramaStatus",
    "PipelineState",
    "Preview",
    "PreviewRestarted",
    "PreviewStarted",
    "PreviewStatus",
    "PreviewStopped",
    "ProcessingStatus",
    "Protection",
    "PurgedMatches",
    "Recorder",
    "RecordingCorrelations",
    "RecordingHealth",
    "RecordingStatus",
    "Recordings",
    "RestoredMatch",
    "Segments",
    "Signalling",
    "StartReport",
    "Status",
    "Stills",
    "StopReport",
    "SystemMetrics",
    "TrashListing",
    "Verification",
    "WebRtcSession",
    "build_pipeline",
    "calibration_completed",
    "open_capture",
    "recordings_disk",
]
