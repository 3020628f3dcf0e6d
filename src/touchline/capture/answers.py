"""Answers made of those of several packages."""

from __future__ import annotations

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture.cameras.answers import CameraStatus
from touchline.capture.live.answers import PREVIEW_EXAMPLE, PreviewStatus
from touchline.capture.recording.answers import IDLE_EXAMPLE, RecordingStatus
from touchline.capture.recording.verdict.answers import LastStop
from touchline.core.answers import example


@with_config(example({"recording": IDLE_EXAMPLE, "preview": PREVIEW_EXAMPLE}))
class Status(TypedDict):
    """State of the recording and the preview."""

    recording: RecordingStatus
    """State of the recording."""
    preview: PreviewStatus
    """State of the preview."""
    last_stop: NotRequired[LastStop | None]
    """Verdict of the last stop, until the next start or until somebody dismisses it; null if there
    is none."""


@with_config(
    example(
        {
            "cameras": [
                {
                    "id": 0,
                    "name": "LEFT",
                    "kind": "rtsp",
                    "state": "running",
                    "recovering": False,
                    "fps": 30.0,
                    "bitrate_bps": 12000000,
                    "last_frame_age_s": 0.031,
                    "dropped": {"source": 0, "queue": 0},
                    "last_error": None,
                }
            ]
        }
    )
)
class CamerasStatus(TypedDict):
    """All configured cameras."""

    cameras: list[CameraStatus]
    """Cameras in the order of their numbers."""
    disk_minutes_left: NotRequired[float | None]
    """Estimated minutes of recording until the disk is full, if known."""
