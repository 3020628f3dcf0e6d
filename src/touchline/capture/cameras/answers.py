"""Answers about the cameras: their state and their use."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Undocumented, example, open_enum

CAMERA_STATES = ("idle", "starting", "running", "stopping", "error")
CameraState = Annotated[str, open_enum(CAMERA_STATES)]

Mode = Literal["idle", "preview", "recording", "calibration"]


class WorkerState(TypedDict):
    """Process of a camera."""

    pid: int | None
    connected: bool


@with_config(ANSWER)
class CameraStatus(TypedDict):
    """A camera and the state reported by its worker. Some fields depend on the kind of camera."""

    id: int
    """Camera number: the N in `camera_N` and in `camN` of file names."""
    name: str
    """Display name."""
    kind: str
    """Kind of camera: test, file, rtsp, v4l2, libcamera or argus."""
    state: CameraState
    """Current state."""
    recovering: bool
    """True from the loss of the camera until its next frame, in every `state`."""
    fps: float
    """Current frame rate."""
    bitrate_bps: int
    """Current bit rate."""
    last_frame_age_s: float | None
    """Seconds since the last frame; null before the first one."""
    dropped: dict[str, int]
    """Dropped frames, by the place where they were dropped."""
    last_error: str | None
    """Last error; null without one."""
    worker: NotRequired[Undocumented[WorkerState]]


@with_config(
    example(
        {
            "mode": "idle",
            "holder": None,
            "lock_time": None,
            "can_preview": True,
            "can_record": True,
        }
    )
)
class PipelineState(TypedDict):
    """Use of the cameras."""

    mode: Mode
    """Current use of the cameras."""
    holder: str | None
    """Holder of the cameras; null when idle."""
    lock_time: str | None
    """Local ISO time without zone; null when idle."""
    can_preview: bool
    """Whether a preview could be started now."""
    can_record: bool
    """Whether a recording could be started without ending another use."""
