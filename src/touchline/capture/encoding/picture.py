"""Size, frame rate and crop of a camera's picture."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MIN_SIDE = 16
"""Minimum width and height in pixels of a cropped picture."""

Width = Annotated[
    int, Field(ge=160, le=7680, multiple_of=2, description="Picture width in pixels.")
]
Height = Annotated[
    int, Field(ge=90, le=4320, multiple_of=2, description="Picture height in pixels.")
]
Rate = Annotated[
    Fraction,
    Field(
        ge=1, le=240, description="Frames per second: a number or a fraction such as 30000/1001."
    ),
]

_NTSC_BASE = 1001


def exact_rate(rate: Fraction) -> Fraction:
    """Return 30000/1001 and 60000/1001 for 29.97 and 59.94, the rates that cameras mean."""
    if rate.denominator in (1, _NTSC_BASE):
        return rate
    broadcast = Fraction(round(rate) * 1000, _NTSC_BASE)
    if abs(rate - broadcast) < Fraction(1, 100):
        return broadcast
    return rate.limit_denominator(_NTSC_BASE)


class Crop(BaseModel):
    """Pixels removed from each edge of the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    left: int = Field(0, ge=0, le=7680, description="Pixels removed on the left.")
    right: int = Field(0, ge=0, le=7680, description="Pixels removed on the right.")
    top: int = Field(0, ge=0, le=4320, description="Pixels removed at the top.")
    bottom: int = Field(0, ge=0, le=4320, description="Pixels removed at the bottom.")

    def __bool__(self) -> bool:
        """Return whether anything is removed."""
        return any((self.left, self.right, self.top, self.bottom))

    def even(self) -> Crop:
        """Round the crop down to even pixels, because chroma is subsampled in pairs."""
        return Crop(
            left=self.left & ~1, right=self.right & ~1, top=self.top & ~1, bottom=self.bottom & ~1
        )

    def within(self, width: int, height: int) -> Crop:
        """Limit the crop to a picture of this size: even, with at least `MIN_SIDE` pixels left."""
        left, right = _clamp(self.left, self.right, width)
        top, bottom = _clamp(self.top, self.bottom, height)
        return Crop(left=left, right=right, top=top, bottom=bottom)


def _clamp(near: int, far: int, side: int) -> tuple[int, int]:
    near = min(near, side - MIN_SIDE) & ~1
    return near, min(far, side - MIN_SIDE - near) & ~1


def frame_caps(width: int, height: int, fps: Fraction) -> str:
    """Return the part of GStreamer caps that names size and frame rate."""
    return f"width={width},height={height},framerate={fps.numerator}/{fps.denominator}"
