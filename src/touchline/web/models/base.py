"""Base classes and field types of the models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from touchline.foreign.numbers import LARGEST

_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
_UNIX_TIME = re.compile(r"(-?[0-9]{1,10}|[0-9]{11,14})(\.[0-9]{1,20})?")
_DIGITS = re.compile(r"-?[0-9]{1,10}")
PORT_DIGITS = (
    r"0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_TRUE_AND_FALSE = ("1", "t", "true", "y", "yes", "on", "0", "f", "false", "n", "no", "off")
_TRUTH: dict[str, Any] = {
    "anyOf": [
        {"type": "boolean"},
        {"enum": [0, 1]},
        {
            "type": "string",
            "pattern": "^({})$".format(
                "|".join(
                    "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word)
                    for word in _TRUE_AND_FALSE
                )
            ),
        },
    ]
}


@dataclass(frozen=True, slots=True)
class SchemaKeywords:
    """Constraints that are added to the JSON schema of a type without being checked.

    The code that receives the value checks the constraints and reports violations in its own words.
    """

    keywords: Mapping[str, Any]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the type's own schema with these keywords."""
        return {**handler(core_schema), **self.keywords}

    def __hash__(self) -> int:
        return hash(repr(self.keywords))


def mapping(names: Mapping[str, Any], values: Mapping[str, Any], *, most: int) -> WithJsonSchema:
    """Build the JSON schema of an object with its property names; pydantic leaves others open."""
    return WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"type": "string", **names},
            "additionalProperties": dict(values),
            "maxProperties": most,
        }
    )


def _number(value: object) -> object:
    """Convert digits to their number: clients of the earlier system send them so."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value


def _to_integer(value: object) -> object:
    """Convert a number without a fraction to an integer: JSON does not distinguish them."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        return int(value)
    return value


DIGITS = BeforeValidator(lambda value: _number(_to_integer(value)))
"""Validator of integers that may also be given as digits."""

WHOLE = BeforeValidator(_to_integer)
"""Validator of integers that must be numbers: no digits, no true or false, but `2.0`."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number and nothing else."""

Truth = Annotated[bool, WithJsonSchema(_TRUTH)]
"""A boolean, also as 1 and 0 and as words: clients of the earlier system send them so."""

CameraNumber = Annotated[
    int,
    Field(strict=True),
    DIGITS,
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]{1,10}$"}]}
    ),
]
"""The number of a camera, or its digits."""


def _to_utc(value: datetime) -> datetime:
    """Convert a time to UTC; one without a zone is in UTC already.

    Times at the limits of the calendar that have no UTC equivalent become the nearest one.
    """
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return first if value.year == 1 else last


def _refuse_odd_notation(value: object) -> object:
    """Refuse numeric notations that are not used for times, such as 1e9."""
    if isinstance(value, str) and _NUMBER.fullmatch(value) and not _UNIX_TIME.fullmatch(value):
        raise ValueError("must be an RFC 3339 time, or Unix seconds such as 1771000000.5")
    return value


Moment = Annotated[
    datetime,
    AfterValidator(_to_utc),
    BeforeValidator(_refuse_odd_notation),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {
                    "type": "string",
                    "pattern": f"^{_UNIX_TIME.pattern}$",
                    "description": "Unix seconds; values beyond 20000000000 are milliseconds.",
                },
            ]
        }
    ),
]
"""A time as a client gives it, in UTC."""

PORT: list[dict[str, Any]] = [
    {"type": "integer", "minimum": 1, "maximum": 65535},
    {
        "type": "string",
        "pattern": f"^(?=.{{1,10}}$){PORT_DIGITS}$",
        "description": "The port as decimal digits.",
    },
]
Port = Annotated[
    int,
    Field(strict=True, ge=1, le=65535),
    DIGITS,
    WithJsonSchema({"anyOf": PORT}),
]
"""A port, as a number or as its digits."""

Flag = Annotated[
    StrictInt | StrictBool,
    DIGITS,
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
"""A boolean, as a number that is 0 or not, as its digits, or as true and false."""
