"""Everything that can be configured about recording, with its bounds and its default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from touchline.capture.settings.cameras import Quality, Source, absolute
from touchline.capture.settings.preview import PreviewSettings
from touchline.capture.settings.processing import ProcessingSettings
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
"""What `touchline demo` records: plain values, to be merged under what the user configured."""


class CaptureSettings(BaseModel):
    """The capture half's settings: which cameras there are, and how they are recorded."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    cameras: dict[CameraId, Source] = Field(
        default_factory=dict, description="The cameras by number, 0 to 63."
    )
    recordings_dir: Path | None = Field(
        None, description="Where matches are kept; unset: `recordings` in the data directory."
    )
    file_mode: str = Field(
        "0640",
        description="Rights of footage and what is made of it, in octal; folders can be entered by"
        " whoever may read.",
    )
    require_mount: bool = Field(
        False,
        description="Record only while recordings_dir is on another disk than the system's.",
    )
    runtime_dir: Path | None = Field(
        None,
        description="Sockets and state of running workers; unset: `run` in the data directory.",
    )

    require_all_cameras: bool = Field(
        True, description="Start no recording unless every camera can record."
    )
    quality: Quality = Field("fast", description="Encoder preset for cameras without their own.")
    encoder: EncoderChoice = Field(
        "auto",
        description="auto: a hardware encoder if there is one, else x264; software: never hardware;"
        " or the name of a GStreamer encoder.",
    )
    segment_s: float = Field(600.0, ge=5, le=3600, description="Length of a segment file.")
    fragment_s: float = Field(
        0.25, ge=0.1, le=0.5, description="Longest piece that is written and synced at once."
    )
    max_match_s: float = Field(
        14_400.0,
        ge=60,
        le=86_400,
        description="Longest match: workers without a server end it then, and an interrupted match"
        " older than this is not resumed.",
    )

    protection_s: float = Field(
        10.0, ge=0, le=3600, description="A recording younger than this is stopped only by force."
    )
    start_timeout_s: float = Field(
        10.0, ge=1, le=120, description="A camera without a first frame by then failed to start."
    )
    stop_timeout_s: float = Field(
        8.0, ge=1, le=120, description="How long a camera may take to finish its file."
    )
    integrity_probe_timeout_s: float = Field(
        8.0, ge=1, le=120, description="How long the probe of the newest segment may take."
    )
    min_effective_fps: float = Field(
        24.0, ge=1, le=240, description="A recording below this frame rate raises an alert."
    )

    stall_after_s: float = Field(
        0.8, ge=0.2, le=60, description="A camera without a frame for this long has stalled."
    )
    unresponsive_after_s: float = Field(
        3.0, ge=1, le=60, description="A worker that says nothing for this long is replaced."
    )
    standby_workers: bool = Field(
        True,
        description="Have a second process ready for each camera, which takes over at once from a"
        " worker that dies; it costs some 25 MB of memory a camera.",
    )
    recovery_max_attempts: int | None = Field(
        None, ge=0, description="Give a lost camera up after this many attempts; unset: never."
    )
    recovery_pause_max_s: float = Field(
        0.5, ge=0.1, le=60, description="Longest pause between two attempts to bring it back."
    )
    resume_after_crash: bool = Field(
        True, description="Go on with a match that a crash or power cut interrupted."
    )

    overload_guard_enabled: bool = Field(True, description="Watch for an overloaded machine.")
    overload_cpu_percent: float = Field(
        92.0, ge=1, le=100, description="Processor use from which the machine is overloaded."
    )
    overload_poll_s: float = Field(5.0, ge=1, le=300, description="Time between two looks.")
    overload_streak: int = Field(
        3, ge=1, le=100, description="Bad looks in a row before the guard speaks up."
    )

    min_free_bytes: int = Field(
        GIB, ge=16 * MIB, description="Recording pauses when less disk than this is free."
    )
    delete_oldest_when_full: bool = Field(
        False, description="Delete the oldest unprotected matches to go on recording."
    )
    backlog_bytes: int = Field(
        64 * MIB,
        ge=4 * MIB,
        le=4 * GIB,
        description="Memory per camera for footage that a stalled disk has not taken yet.",
    )

    preview_while_recording: bool = Field(
        False, description="Let viewers watch the recording's own stream while it runs."
    )

    preview: PreviewSettings = Field(
        default_factory=PreviewSettings, description="Live pictures: WebRTC, HLS and RTSP."
    )

    processing: ProcessingSettings = Field(
        default_factory=ProcessingSettings, description="What is made of a match afterwards."
    )

    @field_validator("file_mode", mode="before")
    @classmethod
    def _octal(cls, mode: object) -> object:
        # In TOML it may be a number too: 0o640.
        text = f"{mode:o}" if isinstance(mode, int) and not isinstance(mode, bool) else mode
        if not isinstance(text, str) or not _MODE.fullmatch(text):
            raise ValueError(
                'write it like "0640": the owner reads and writes, and nobody executes footage'
            )
        return text[-3:].rjust(4, "0")

    @property
    def umask(self) -> int:
        """What this program's files and folders are not given, so that footage has its mode."""
        mode = int(self.file_mode, 8)
        return 0o777 & ~(mode | (mode & 0o444) >> 2)

    @field_validator("recordings_dir", "runtime_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else absolute(path)

    @model_validator(mode="after")
    def _fragment_before_stop(self) -> CaptureSettings:
        if self.unresponsive_after_s <= self.stall_after_s:
            msg = "unresponsive_after_s must be longer than stall_after_s"
            raise ValueError(msg)
        return self

    def required_cameras(self) -> Mapping[int, Source]:
        """The cameras in the order of their numbers. Raises Invalid when there is none."""
        if not self.cameras:
            msg = (
                f"No cameras configured. Name them in the configuration file:\n\n{CAMERAS_EXAMPLE}"
            )
            raise Invalid(msg, code="no_cameras")
        return dict(sorted(self.cameras.items()))
