"""Post-processing: jobs, and what is asked of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from touchline.web.models.base import Answer, Number

Kind = Literal["archive", "panorama", "follow", "reel", "sprites", "upload"]


Share = Annotated[Number, Field(ge=-4, le=5)]
"""A share of a side of the panorama; corners of the pitch may lie outside of the picture."""


class Keyframe(BaseModel):
    """Where the cut shall look at a time; `x` and `y` are shares of the panorama's sides."""

    at_s: Number = Field(ge=0, le=200_000, description="Seconds of the panorama.")
    x: Number = Field(ge=0, le=1)
    y: Number = Field(0.5, ge=0, le=1)


class FollowParams(BaseModel):
    """How the cut is made that follows the play."""

    zoom: Number = Field(1.0, ge=1, le=4, description="1 shows the whole height of the panorama.")
    keyframes: list[Keyframe] = Field(
        default_factory=list, max_length=2000, description="Where a person wants it to look."
    )
    pitch: list[tuple[Share, Share]] | None = Field(
        None, min_length=3, max_length=64, description="Corners of the pitch, as shares."
    )


class ReelParams(BaseModel):
    """Which moments, and how much around them."""

    camera: str = Field(
        "cam0",
        pattern=r"^(cam\d{1,2}|panorama|follow)$",
        description="`cam0` and so on, `panorama` or `follow`.",
    )
    before_s: Number = Field(8.0, ge=0, le=120)
    after_s: Number = Field(4.0, ge=0.5, le=120)
    kinds: list[str] = Field(
        default_factory=list, max_length=16, description="Only these markers; empty: all."
    )


class JobFault(Answer):
    """Why it failed."""

    code: str = Field(description="For programs: stable, snake_case.")
    message: str
    advice: str = Field(description="What to do; empty where nothing is known.")


class JobState(Answer):
    """One piece of work."""

    job_id: str
    kind: str
    match_id: str
    params: dict[str, Any]
    state: Literal["waiting", "running", "paused", "done", "failed", "cancelled"]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    progress: float = Field(description="0 to 1.")
    eta_s: float | None = Field(description="Seconds until it is done, as far as is known.")
    total: int | None = Field(description="Frames, or whatever the job counts.")
    error: JobFault | None
    result: dict[str, Any] | None
    log: list[str] = Field(description="The newest lines of what it told.")


class JobList(Answer):
    """All jobs, the oldest first."""

    jobs: list[JobState]


class ProcessMatch(BaseModel):
    """What to make of a match."""

    steps: list[Kind] = Field(min_length=1, max_length=8)
    follow: FollowParams | None = None
    reel: ReelParams | None = None

    def params(self) -> dict[str, dict[str, Any]]:
        """What was said of each step."""
        said = {"follow": self.follow, "reel": self.reel}
        return {name: given.model_dump(mode="json") for name, given in said.items() if given}


class UploadState(Answer):
    """What became of one file."""

    state: Literal["waiting", "uploading", "uploaded", "failed"]
    key: str | None = None
    size_bytes: int | None = None
    sent_bytes: int | None = None
    error: str | None = None


class MadeOfMatch(Answer):
    """What post-processing made of a match."""

    match_id: str
    made: dict[str, dict[str, Any]] = Field(description="By kind of job: files, sizes, quality.")
    uploads: dict[str, UploadState] = Field(description="By file.")


class JobRemoved(Answer):
    """It is forgotten."""

    removed: str
