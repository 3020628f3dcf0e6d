"""Models of markers that clients send."""

from __future__ import annotations

from pydantic import BaseModel, Field

from touchline.capture import MarkerKind
from touchline.web.models.base import Number


class NewMarker(BaseModel):
    """A marker to add. Without a time, it marks the current moment of a running recording."""

    kind: MarkerKind = "other"
    text: str = Field("", max_length=200)
    team: str = Field("", max_length=80)
    at: Number | None = Field(
        None, ge=0, le=200_000, description="Seconds from the start of the match."
    )
    seconds_ago: Number = Field(
        0.0, ge=0, le=600, description="Offset before the current moment, if `at` is omitted."
    )


class MarkerChange(BaseModel):
    """Fields to change; omitted fields keep their value."""

    kind: MarkerKind | None = None
    text: str | None = Field(None, max_length=200)
    team: str | None = Field(None, max_length=80)
    at: Number | None = Field(None, ge=0, le=200_000)
