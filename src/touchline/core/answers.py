"""Configuration of the types that define the API's answers.

An answer is a TypedDict beside the code that builds it. The web layer generates the API's schema
from it: a field's docstring becomes its description.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, WithJsonSchema

ANSWER = ConfigDict(extra="allow", use_attribute_docstrings=True)
"""Configuration of an answer. Later versions may add keys but never remove one."""


def example(value: dict[str, Any]) -> ConfigDict:
    """Return the configuration of an answer with an example for the documentation."""
    return ConfigDict(**ANSWER, json_schema_extra={"examples": [value]})


def open_enum(words: Iterable[str]) -> WithJsonSchema:
    """Describe an open enumeration: values of this version, to which later ones may add.

    `web.schema` closes it for the dashboard, which always has the server's version.
    """
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": [*words]}, {"type": "string"}]})
