"""Recording of a match's cameras, and storage of the recordings.

`open_capture` starts the capture half; all other code uses only the `Capture` that it yields.
"""

from __future__ import annotations

from touchline.capture.cameras.calibrations import Calibration
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.front import Capture
from touchline.capture.library.library import Library
from touchline.capture.library.manifest.detailsfile import Day, Details, MatchDetails, Name, Note
from touchline.capture.library.markers import MarkerKind
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
from touchline.capture.live.preview import RECORDING_ACTIVE, Preview
from touchline.capture.live.sessions import WebRtcSession
from touchline.capture.live.signalling import Signalling
from touchline.capture.live.stills import Stills
from touchline.capture.logs.catalogue import LOG_TYPES
from touchline.capture.opening import open_capture, recordings_disk
from touchline.capture.processing.jobs import Job
from touchline.capture.recording.health.soundness import IssueKind
from touchline.capture.recording.recorder import Recorder
from touchline.capture.settings.processing import Kind as JobKindName
from touchline.capture.settings.tree import DEMO_CAMERAS, CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS

__all__ = [
    "ARCHIVES",
    "DEMO_CAMERAS",
    "LOG_TYPES",
    "PROBED_ELEMENTS",
    "RECORDING_ACTIVE",
    "Calibration",
    "Capture",
    "CaptureSettings",
    "Clip",
    "Container",
    "Day",
    "Details",
    "IssueKind",
    "Job",
    "JobKindName",
    "Library",
    "MarkerKind",
    "MatchDetails",
    "MatchInterval",
    "MatchTimes",
    "MovedToTrash",
    "Name",
    "Note",
    "Preview",
    "PurgedMatches",
    "Recorder",
    "RestoredMatch",
    "Signalling",
    "Stills",
    "TrashListing",
    "WebRtcSession",
    "build_pipeline",
    "open_capture",
    "recordings_disk",
]
