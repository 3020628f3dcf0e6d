"""Facts that the health of a recording is judged by; a test says only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from touchline.capture.recording.health.soundness import CameraObservation

_SOUND = CameraObservation(
    camera_id=0,
    pipeline_present=True,
    pipeline_state="running",
    footage=True,
    told_since=True,
    disk="ok",
    disk_errno=None,
    writer_error=None,
    segment_name="",
    segment_index=0,
    segment_size_bytes=300_000,
    segment_age_s=0.2,
    file_age_s=1.0,
    failed_permanently=False,
    last_frame_age_s=0.03,
    stalled=False,
    recovering=False,
    recovery_attempts=0,
    last_error=None,
    probe=None,
)


def camera_facts(number: int = 0, **changes: Any) -> CameraObservation:
    """A camera that records well, but for the changes."""
    name = f"cam{number}_20260211_220241_00.mp4"
    return replace(_SOUND, **{"camera_id": number, "segment_name": name, **changes})
