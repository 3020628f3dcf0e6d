"""What every answer is made from."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)

_DIGITS = re.compile(r"-?[0-9]{1,10}")


class Answer(BaseModel):
    """An object of the API; later versions may add keys, none takes one away."""

    model_config = ConfigDict(extra="allow")


def example(value: dict[str, Any]) -> ConfigDict:
    """The configuration of an answer with an example in the documentation."""
    return ConfigDict(extra="allow", json_schema_extra={"examples": [value]})


def _number(value: object) -> object:
    """Digits as the number that they are: clients of the earlier system send them so."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value


Port = Annotated[
    int,
    Field(strict=True, ge=1, le=65535),
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string", "pattern": "^[0-9]{1,5}$", "description": "The same."},
            ]
        }
    ),
]
"""A port, as a number or as its digits."""

Flag = Annotated[
    StrictInt | StrictBool,
    BeforeValidator(_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer"},
                {"type": "boolean"},
                {"type": "string", "pattern": "^-?[0-9]{1,10}$"},
            ]
        }
    ),
]
"""Yes or no, as a number that is 0 or not, as its digits, or as true and false."""
