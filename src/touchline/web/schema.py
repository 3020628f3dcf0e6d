"""`python -m touchline.web.schema`: the API's description, for the dashboard's types.

Objects and lists of words are closed, other than in `/openapi.json`: a name or a word that is not
there is then an error when the dashboard is built, and not one that nobody sees.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from touchline.web.app import bare_app


def closed_schema() -> dict[str, Any]:
    """The description without the promise that there may be more keys and words later on."""
    schema: dict[str, Any] = bare_app().openapi()
    for described in schema["components"]["schemas"].values():
        if "properties" in described and described.get("additionalProperties") is True:
            del described["additionalProperties"]
    closed: dict[str, Any] = _with_closed_enums(schema)
    return closed


def _with_closed_enums(value: Any) -> Any:
    """The same, with only the words that are listed where others are allowed beside them."""
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
    json.dump(closed_schema(), sys.stdout, indent=1)
