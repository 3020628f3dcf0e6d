"""Models of clips and markers."""

from __future__ import annotations

from pydantic import BaseModel, Field

from touchline.capture import MarkerKind
from touchline.web.models.base import Answer, Number


class MarkerState(Answer):
    """A marker: a moment of a match."""

    marker_id: str
    kind: MarkerKind
    text: str
    team: str
    at: float = Field(description="Seconds from the start of the match.")
    at_unix_ms: int
    created_unix_ms: int


class MarkerList(Answer):
    """Markers of a match, ordered by time."""

    markers: list[MarkerState]


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


class MarkerRemoved(Answer):
    """Confirmation of a removed marker."""

    removed: str
