"""Models of changes to the library that clients send."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from touchline.web.models.base import Truth


class ProtectRequest(BaseModel):
    """Protection of a match."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"protected": True}]})

    protected: Truth = Field(description="Whether to protect the match from deletion.")
