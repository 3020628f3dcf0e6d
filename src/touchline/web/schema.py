"""The program `python -m touchline.web.schema`: print the API's description for the dashboard.

The dashboard's types are generated from it. Objects and enumerations are closed, unlike in
`/openapi.json`: an unknown name or value is then an error when the dashboard is built, instead of
going unnoticed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from touchline.web.app import bare_app


def build_closed_schema() -> dict[str, Any]:
    """Return the description without allowing further keys and values."""
    schema: dict[str, Any] = bare_app().openapi()
    for described in schema["components"]["schemas"].values():
        if "properties" in described and described.get("additionalProperties") is True:
            del described["additionalProperties"]
    closed: dict[str, Any] = _with_closed_enums(schema)
    return closed


def _with_closed_enums(value: Any) -> Any:
    """Return the schema with enumerations limited to the listed values."""
    if isinstance(value, list):
        return [_with_closed_enums(each) for each in value]
    if not isinstance(value, dict):
        return value
    if _is_open_enum(value.get("anyOf")):
        listed, *others = (each for each in value["anyOf"] if each != {"type": "string"})
        rest = {key: each for key, each in value.items() if key != "anyOf"}
        return {**rest, "anyOf": [listed, *others]} if others else {**rest, **listed}
    return {key: _with_closed_enums(each) for key, each in value.items()}


def _is_open_enum(choices: Any) -> bool:
    if not isinstance(choices, list) or {"type": "string"} not in choices:
        return False
    return any("enum" in each and each.get("type") == "string" for each in choices)


if __name__ == "__main__":
    json.dump(build_closed_schema(), sys.stdout, indent=1)
