"""Model of a recording that a client starts."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from touchline.web.models.base import SchemaKeywords, Truth
from touchline.web.models.capture.details import DetailsBody
from touchline.web.models.unknownfields import Tolerant

_LETTERS = r"\p{L}\p{N}\p{M}_"
MATCH_ID = rf"^([{_LETTERS}-]([{_LETTERS}. -]{{0,126}}[{_LETTERS}.-])?)?$"
"""Pattern of a match id, or empty. Ids that need more than 255 bytes are refused as well."""


class StartRecording(Tolerant):
    """Recording to start. Unknown fields are ignored and listed in the response's `warnings`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "match_id": "match_20260211_001",
                    "force": False,
                    "process_after_recording": False,
                }
            ]
        },
    )

    match_id: Annotated[str, SchemaKeywords({"pattern": MATCH_ID})] | None = Field(
        default=None,
        description="Match id: 1-128 letters, digits, spaces and `._-`, without a leading dot or"
        " leading or trailing spaces. Default: `match_<unix seconds>`.",
    )
    force: Truth | None = Field(default=False, description="Stop a running recording first.")
    process_after_recording: Truth | None = Field(
        default=False, description="Start post-processing after the recording."
    )
    require_all_cameras: Truth | None = Field(
        default=None,
        description="Whether a missing camera prevents the start. Default:"
        " `capture.require_all_cameras`. A camera that is not required joins as soon"
        " as it delivers frames.",
    )
    details: DetailsBody | None = Field(
        default=None,
        description="Details of the match, stored once it is being recorded, as by"
        " `PUT /api/v1/matches/{match_id}/details`.",
    )
