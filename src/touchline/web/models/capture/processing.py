"""Models of jobs that clients order."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from touchline.capture import JobKindName
from touchline.web.models.base import Number

Share = Annotated[Number, Field(ge=-4, le=5)]
"""A fraction of the panorama's width or height; pitch corners may lie outside the picture."""


class Keyframe(BaseModel):
    """A manual camera position; `x` and `y` are fractions of the panorama's width and height."""

    at_s: Number = Field(ge=0, le=200_000, description="Time in the panorama, in seconds.")
    x: Number = Field(ge=0, le=1)
    y: Number = Field(0.5, ge=0, le=1)


class FollowParams(BaseModel):
    """Options of the follow cut, which pans along with the play."""

    zoom: Number = Field(
        1.0, ge=1, le=4, description="Zoom factor; 1 shows the full height of the panorama."
    )
    keyframes: list[Keyframe] = Field(
        default_factory=list, max_length=2000, description="Manual camera positions."
    )
    pitch: list[tuple[Share, Share]] | None = Field(
        None,
        min_length=3,
        max_length=64,
        description="Corners of the pitch as fractions of the panorama's width and height.",
    )


class ReelParams(BaseModel):
    """Options of the highlight reel."""

    camera: str = Field(
        "cam0",
        pattern=r"^(cam\d{1,2}|panorama|follow)$",
        description="Video to cut from: `cam0`, `cam1` …, `panorama` or `follow`.",
    )
    before_s: Number = Field(8.0, ge=0, le=120)
    after_s: Number = Field(4.0, ge=0.5, le=120)
    kinds: list[str] = Field(
        default_factory=list, max_length=16, description="Markers to include; empty for all."
    )


class ProcessMatch(BaseModel):
    """Jobs to run for a match."""

    steps: list[JobKindName] = Field(min_length=1, max_length=8)
    follow: FollowParams | None = None
    reel: ReelParams | None = None

    def params(self) -> dict[str, dict[str, Any]]:
        """Return the options of each job."""
        said = {"follow": self.follow, "reel": self.reel}
        return {name: given.model_dump(mode="json") for name, given in said.items() if given}
