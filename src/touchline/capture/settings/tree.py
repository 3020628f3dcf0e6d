"""Settings of recording, with bounds and defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from touchline.capture.encoding.encoders import Quality
from touchline.capture.settings.preview import PreviewSettings
from touchline.capture.settings.processing import ProcessingSettings
from touchline.capture.sources.kinds import Source
from touchline.capture.sources.paths import absolute
from touchline.core.errors import Invalid

CameraId = Annotated[int, Field(ge=0, le=63)]

EncoderChoice = Literal[
    "auto",
    "software",
    "nvh264enc",
    "nvv4l2h264enc",
    "openh264enc",
    "qsvh264enc",
    "v4l2h264enc",
    "vaapih264enc",
    "vah264enc",
    "x264enc",
]

_MODE = re.compile(r"(?:0?o?)?6[0246][0246]", re.ASCII)

MIB = 1 << 20
GIB = 1 << 30

CAMERAS_EXAMPLE = """\
[capture.cameras.0]
kind = "rtsp"
url = "rtsp://192.168.1.20/stream"

[capture.cameras.1]
kind = "v4l2"
device = "/dev/video0"
"""

DEMO_CAMERAS: Mapping[str, Mapping[str, str]] = {
    "0": {"kind": "test", "name": "LEFT", "scene": "left"},
    "1": {"kind": "test", "name": "RIGHT", "scene": "right"},
}
"""Cameras of `touchline demo`.

These are plain values, merged under what the user configured.
"""


class CaptureSettings(BaseModel):
    """Settings of the capture half: cameras, recording, live view and post-processing."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    cameras: dict[CameraId, Source] = Field(
        default_factory=dict, description="Cameras by number, 0 to 63."
    )
    recordings_dir: Path | None = Field(
        None,
        description="Directory of the recordings. Default: `recordings` in the data directory.",
    )
    file_mode: str = Field(
        "0640",
        description="File mode of recordings and files made from them, in octal. Users who may"
        " read a file may enter its directory.",
    )
    require_mount: bool = Field(
        False,
        description="Refuse to record unless recordings_dir is on another disk than the system.",
    )
    runtime_dir: Path | None = Field(
        None,
        description="Directory of the workers' sockets and state. Default: `run` in the data"
        " directory.",
    )

    require_all_cameras: bool = Field(
        True, description="Refuse to start a recording unless every camera can record."
    )
    quality: Quality = Field(
        "fast", description="Encoder preset of cameras that do not set their own."
    )
    encoder: EncoderChoice = Field(
        "auto",
        description="`auto`: a hardware encoder if available, else x264. `software`: never"
        " hardware. Or the name of a GStreamer encoder.",
    )
    segment_s: float = Field(600.0, ge=5, le=3600, description="Duration of a segment file.")
    fragment_s: float = Field(
        0.25,
        ge=0.1,
        le=0.5,
        description="Maximum duration of a fragment, the unit that is written and synced at once.",
    )
    max_match_s: float = Field(
        14_400.0,
        ge=60,
        le=86_400,
        description="Maximum duration of a match. Workers without a server stop recording after"
        " this time; an interrupted match older than this is not resumed.",
    )

    protection_s: float = Field(
        10.0,
        ge=0,
        le=3600,
        description="Protection period: a recording younger than this stops only with `force`.",
    )
    start_timeout_s: float = Field(
        10.0,
        ge=1,
        le=120,
        description="How long to wait for the first frame of a camera before its start counts as"
        " failed.",
    )
    stop_timeout_s: float = Field(
        8.0, ge=1, le=120, description="How long to wait for a camera to finish its file at a stop."
    )
    integrity_probe_timeout_s: float = Field(
        8.0, ge=1, le=120, description="Time limit of the probe of the newest segment."
    )
    min_effective_fps: float = Field(
        24.0, ge=1, le=240, description="Frame rate below which a recording raises an alert."
    )

    stall_after_s: float = Field(
        0.8,
        ge=0.2,
        le=60,
        description="A camera that delivers no frame for this long counts as stalled.",
    )
    unresponsive_after_s: float = Field(
        3.0, ge=1, le=60, description="A worker that does not report for this long is replaced."
    )
    standby_workers: bool = Field(
        True,
        description="Keep a standby process per camera that takes over immediately when the"
        " worker dies. Costs about 25 MB of memory per camera.",
    )
    recovery_max_attempts: int | None = Field(
        None, ge=0, description="Number of attempts to recover a lost camera. Default: unlimited."
    )
    recovery_pause_max_s: float = Field(
        0.5, ge=0.1, le=60, description="Maximum pause between two recovery attempts."
    )
    resume_after_crash: bool = Field(
        True, description="Resume a match that was interrupted by a crash or power cut."
    )

    overload_guard_enabled: bool = Field(
        True, description="Raise an alert when the machine is overloaded."
    )
    overload_cpu_percent: float = Field(
        92.0, ge=1, le=100, description="CPU load from which the machine counts as overloaded."
    )
    overload_poll_s: float = Field(
        5.0, ge=1, le=300, description="Interval between two samples of the load."
    )
    overload_streak: int = Field(
        3,
        ge=1,
        le=100,
        description="Number of consecutive overloaded samples before an alert is raised.",
    )

    min_free_bytes: int = Field(
        GIB, ge=16 * MIB, description="Free disk space below which recording pauses."
    )
    delete_oldest_when_full: bool = Field(
        False, description="Delete the oldest unprotected matches when the disk is full."
    )
    trash_days: int = Field(
        7,
        ge=0,
        le=3650,
        description="Days that a match stays in the trash before it is deleted permanently. 0: no"
        " trash. If a recording needs space, the trash is emptied first.",
    )
    backlog_bytes: int = Field(
        64 * MIB,
        ge=4 * MIB,
        le=4 * GIB,
        description="Memory per camera for footage waiting to be written to a slow disk.",
    )

    preview_while_recording: bool = Field(
        False, description="Allow live view of the cameras while a match is recorded."
    )

    preview: PreviewSettings = Field(
        default_factory=PreviewSettings, description="Live view over WebRTC, HLS and RTSP."
    )

    processing: ProcessingSettings = Field(
        default_factory=ProcessingSettings, description="Post-processing of recorded matches."
    )

    @field_validator("file_mode", mode="before")
    @classmethod
    def _octal(cls, mode: object) -> object:
        # In TOML it may be a number too: 0o640.
        text = f"{mode:o}" if isinstance(mode, int) and not isinstance(mode, bool) else mode
        if not isinstance(text, str) or not _MODE.fullmatch(text):
            raise ValueError(
                'must look like "0640": the owner can read and write, and no one can execute'
            )
        return text[-3:].rjust(4, "0")

    @property
    def umask(self) -> int:
        """File mode creation mask that gives recordings their `file_mode`."""
        mode = int(self.file_mode, 8)
        return 0o777 & ~(mode | (mode & 0o444) >> 2)

    @field_validator("recordings_dir", "runtime_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else absolute(path)

    @model_validator(mode="after")
    def _fragment_before_stop(self) -> CaptureSettings:
        if self.unresponsive_after_s <= self.stall_after_s:
            raise ValueError("unresponsive_after_s must be longer than stall_after_s")
        return self

    def require_cameras(self) -> Mapping[int, Source]:
        """Return the cameras by number, in order. Raises Invalid without any camera."""
        if not self.cameras:
            raise Invalid(
                f"No cameras configured. Name them in the configuration file:\n\n{CAMERAS_EXAMPLE}",
                code="no_cameras",
            )
        return dict(sorted(self.cameras.items()))
