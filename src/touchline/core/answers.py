"""Configuration of the types that define the API's answers.

An answer is a TypedDict beside the code that builds it. The web layer generates the API's schema
from it: a field's docstring becomes its description. The aliases here give a field the type that
the code works with and the schema that clients see.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema as Undocumented
from pydantic_core import CoreSchema

__all__ = [
    "ANSWER",
    "COUNTS",
    "OPEN_OBJECT",
    "DescribedAs",
    "Timestamp",
    "Undocumented",
    "example",
    "open_enum",
]

ANSWER = ConfigDict(extra="allow", use_attribute_docstrings=True)
"""Configuration of an answer. Later versions may add keys but never remove one."""

Timestamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time, formatted according to RFC 3339."""

OPEN_OBJECT = WithJsonSchema({"type": "object", "additionalProperties": True})
"""Describes an object whose keys the field's description lists."""

COUNTS = WithJsonSchema({"type": "object", "additionalProperties": {"type": "integer"}})
"""Describes an object of numbers whose keys the field's description lists."""


@dataclass(frozen=True, slots=True)
class DescribedAs:
    """Describes an object as the model that it was dumped from."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the model's schema."""
        return handler.generate_schema(self.model)


def example(value: dict[str, Any]) -> ConfigDict:
    """Return the configuration of an answer with an example for the documentation."""
    return ConfigDict(**ANSWER, json_schema_extra={"examples": [value]})


def open_enum(words: Iterable[str]) -> WithJsonSchema:
    """Describe an open enumeration: values of this version, to which later ones may add.

    `web.schema` closes it for the dashboard, which always has the server's version.
    """
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": [*words]}, {"type": "string"}]})
