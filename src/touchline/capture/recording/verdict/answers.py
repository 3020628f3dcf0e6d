"""Answers about the last stop."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture.recording.answers import RecordingLoss
from touchline.core.answers import ANSWER, example


@with_config(ANSWER)
class StopFault(TypedDict):
    """A fault that a stop found."""

    camera: str
    """Camera as `camera_N`."""
    name: str
    """Display name of the camera."""
    message: str
    """Human-readable description."""


@with_config(ANSWER)
class LastStop(TypedDict):
    """Verdict of the last stop, until the next start or until somebody dismisses it."""

    id: str
    """Id of the verdict."""
    match_id: str
    """Match that was stopped."""
    stopped_at: float
    """Time of the stop in Unix seconds; of an interruption, time of the last footage."""
    success: bool
    """Whether all files were finalised and no fault was found, as in the result of the stop."""
    message: str
    """Human-readable result."""
    duration: float
    """Recorded duration in seconds."""
    gaps: list[RecordingLoss]
    """Losses of the recording in order, the newest 200 of them."""
    gaps_count: int
    """Number of all losses."""
    faults: list[StopFault]
    """Faults by camera. Empty after an interruption, after which nothing is checked."""
    files_ok: bool | None
    """Whether the files were checked and are intact; null if they were not checked. They can be
    intact where the stop of a camera failed."""


@with_config(example({"dismissed": "0123456789abcdef"}))
class LastStopDismissed(TypedDict):
    """Confirmation that the verdict of a stop is no longer shown."""

    dismissed: str
    """Id of the verdict."""
