"""Models of requests about the panorama."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import WHOLE, Number, Truth

Pixels = Annotated[Number, Field(ge=-16_384, le=16_384)]
"""A coordinate in a picture; it may lie slightly outside."""

Width = Annotated[int, Field(strict=True, ge=640, le=7680, multiple_of=2), WHOLE]
Height = Annotated[int, Field(strict=True, ge=180, le=4320, multiple_of=2), WHOLE]
Seam = Annotated[int, Field(strict=True, ge=2, le=800), WHOLE]
Few = Annotated[int, Field(strict=True, ge=1, le=60), WHOLE]


class PanoramaConfigUpdate(BaseModel):
    """Fields to change; omitted fields keep their value."""

    model_config = ConfigDict(extra="ignore")

    enabled: Truth | None = None
    output_width: Width | None = Field(None, description="Pixels; must be even.")
    output_height: Height | None = Field(None, description="Pixels; must be even.")
    preview_fps_target: Few | None = Field(None, description="Frames per second.")
    use_vic_backend: Truth | None = Field(None, description="Stored, but only used on a Jetson.")
    projection: Literal["cylindrical", "plane"] | None = None
    blend_width: Seam | None = Field(None, description="Blend width at the seam in pixels.")
    quality: Literal["fast", "balanced", "high"] | None = Field(
        None, description="Encoder effort for a match's panorama."
    )
    automatic_size: Truth | None = Field(
        None, description="Whether to use the full resolution of the cameras."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given."""
        given = self.model_dump(exclude_none=True)
        if given.pop("automatic_size", None):
            given |= {"output_width": None, "output_height": None}
        return given


class CalibrationStart(BaseModel):
    """Accepted for older clients and ignored: the target is always 15 pairs."""

    frame_count: Annotated[int, Field(strict=True, ge=1, le=1000), WHOLE] | None = None


class PointPair(BaseModel):
    """A matching point in both pictures, in pixels of the captured size."""

    cam0: tuple[Pixels, Pixels]
    cam1: tuple[Pixels, Pixels]


class CalibrationComplete(BaseModel):
    """Points marked by hand, in addition to those found automatically."""

    points: list[PointPair] = Field(default_factory=list, max_length=200)


class CalibrationFromMatch(BaseModel):
    """Calibration from a recording."""

    match_id: str = Field(min_length=1, max_length=128)
    instants: Few = Field(12, description="Number of picture pairs to take from the recording.")
    points: list[PointPair] = Field(default_factory=list, max_length=200)


class PanoramaPreviewStart(BaseModel):
    """Options for showing the panorama."""

    transport: str | None = Field(None, max_length=32, description="Transport: `hls` or `webrtc`.")


class PanoramaProcess(BaseModel):
    """Match to process."""

    match_id: str = Field(min_length=1, max_length=128)
