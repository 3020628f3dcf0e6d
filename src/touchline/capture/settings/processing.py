"""Settings of post-processing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.capture.settings.upload import UploadSettings

Kind = Literal["archive", "panorama", "follow", "reel", "sprites", "upload"]


class ArchiveSettings(BaseModel):
    """Settings of the archive, a single file made of a camera's segments."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    profile: Literal["copy", "compact"] = Field(
        "copy",
        description="`copy`: join the segments without encoding. `compact`: encode again, much"
        " smaller.",
    )
    height: int = Field(
        1080,
        ge=180,
        le=4320,
        multiple_of=2,
        description="Maximum picture height of the compact profile.",
    )
    crf: int = Field(
        26,
        ge=10,
        le=40,
        description="Quality (CRF) of the compact profile: 18 is fine, 30 is coarse.",
    )
    preset: Literal["ultrafast", "veryfast", "medium", "slow"] = Field(
        "veryfast",
        description="x264 preset of the compact profile; slower presets make smaller files.",
    )

    def to_spec(self) -> dict[str, Any]:
        """Return the settings in the form that the studio reads."""
        return self.model_dump()


class ProcessingSettings(BaseModel):
    """Settings of post-processing."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    after_recording: tuple[Kind, ...] = Field(
        ("archive", "sprites", "panorama", "follow"),
        description="Jobs to run after a recording with `process_after_recording`.",
    )
    while_recording: bool = Field(
        False, description="Keep jobs running while a match is recorded, instead of pausing them."
    )
    upload: UploadSettings = Field(
        default_factory=UploadSettings,
        description="S3-compatible storage that archives are uploaded to.",
    )
    archive: ArchiveSettings = Field(
        default_factory=ArchiveSettings, description="Archive of each camera."
    )
