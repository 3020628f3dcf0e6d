"""Settings of post-processing."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from touchline.capture.jobkinds.kinds import JobKindName
from touchline.capture.jobkinds.settings import ArchiveSettings, UploadSettings


class ProcessingSettings(BaseModel):
    """Settings of post-processing."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    after_recording: tuple[JobKindName, ...] = Field(
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
