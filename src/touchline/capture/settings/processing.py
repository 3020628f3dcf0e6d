"""What is made of a match after it was recorded, and how."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.capture.settings.upload import UploadSettings

Kind = Literal["archive", "panorama", "follow", "reel", "sprites", "upload"]


class ArchiveSettings(BaseModel):
    """The one file a camera's segments become."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    profile: Literal["copy", "compact"] = Field(
        "copy",
        description="copy: joined as they were recorded; compact: encoded again, much smaller.",
    )
    height: int = Field(
        1080, ge=180, le=4320, multiple_of=2, description="Highest picture of the compact profile."
    )
    crf: int = Field(26, ge=10, le=40, description="Its quality: 18 is fine, 30 is coarse.")
    preset: Literal["ultrafast", "veryfast", "medium", "slow"] = Field(
        "veryfast", description="Its x264 preset: slower is smaller."
    )

    def to_spec(self) -> dict[str, Any]:
        """For the studio."""
        return self.model_dump()


class ProcessingSettings(BaseModel):
    """Post-processing."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    after_recording: tuple[Kind, ...] = Field(
        ("archive", "sprites", "panorama", "follow"),
        description="What a recording with `process_after_recording` is followed by.",
    )
    while_recording: bool = Field(
        False, description="Work on while another match is recorded, instead of pausing."
    )
    upload: UploadSettings = Field(
        default_factory=UploadSettings, description="S3-compatible storage for archives."
    )
    archive: ArchiveSettings = Field(
        default_factory=ArchiveSettings, description="A camera's own video."
    )
