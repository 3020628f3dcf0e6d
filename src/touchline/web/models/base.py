"""What every answer is made from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """An object of the API; later versions may add keys, none takes one away."""

    model_config = ConfigDict(extra="allow")


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of an answer with an example in the documentation."""
    return ConfigDict(extra="allow", json_schema_extra={"examples": [value]})
