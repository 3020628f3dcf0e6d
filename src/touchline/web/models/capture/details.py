"""Model of the request that describes a match."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from touchline.capture import Day, Details, Name, Note
from touchline.web.models.unknownfields import Tolerant


class DetailsBody(Tolerant):
    """What people know of a match. Omitted and empty fields are stored as unknown.

    Repeated spaces and unprintable characters are removed. Unknown fields are ignored and listed
    in the response's `warnings`.
    """

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "home": "SV Süd",
                    "away": "FC Nord",
                    "competition": "District league",
                    "venue": "Pitch 2",
                    "date": "2026-11-29",
                    "note": None,
                }
            ]
        },
    )

    home: Name = Field(default=None, description="Home team.")
    away: Name = Field(default=None, description="Away team.")
    competition: Name = Field(default=None, description="Competition, or the occasion.")
    venue: Name = Field(default=None, description="Place of the match.")
    date: Day = Field(default=None, description="Date by ISO 8601, with or without a time.")
    note: Note = Field(default=None, description="Remarks, possibly in several lines.")

    def to_details(self) -> Details:
        """Return the details to store."""
        return Details.model_validate(self.model_dump(include=set(Details.model_fields)))
