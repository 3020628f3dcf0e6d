"""The published description stays as it was, but for its words.

`openapi.json` beside this file is what was published, without titles, descriptions, summaries and
names of components, and with references resolved. A route or field that is added on purpose is
written there by `python tests/contract/test_openapi.py`, and read in the diff.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from touchline.web.app import bare_app

STORED = Path(__file__).with_name("openapi.json")
WORDS = frozenset({"title", "description", "summary"})
NAMED = frozenset({"properties", "patternProperties", "paths", "responses", "content", "headers"})
"""Objects whose keys are names that somebody chose: `description` can be one of them."""


def without_words(schema: dict[str, Any]) -> dict[str, Any]:
    """Resolve all references, and leave out what only people read."""
    resolved = _resolve(schema, schema, ())
    assert isinstance(resolved, dict)
    components = resolved.pop("components")
    del resolved["info"]
    return {**resolved, "securitySchemes": components["securitySchemes"]}


def _resolve(
    value: Any, schema: dict[str, Any], within: tuple[str, ...], *, named: bool = False
) -> Any:
    if isinstance(value, list):
        return [_resolve(each, schema, within) for each in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        if reference in within:
            return {"recursive": len(within) - within.index(reference)}
        found: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        rest = {key: each for key, each in value.items() if key != "$ref"}
        return _resolve({**found, **rest}, schema, (*within, reference))
    return {
        key: each
        if key in ("example", "examples") and not named
        else _resolve(each, schema, within, named=key in NAMED and not named)
        for key, each in value.items()
        if named or key not in WORDS
    }


def as_text(schema: dict[str, Any]) -> str:
    """Spell a description so that a change of an operation is a change of one line."""
    operations = {
        f"{method} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    }
    rest = {key: each for key, each in schema.items() if key != "paths"}
    lines = [
        f"{json.dumps(name)}: {json.dumps(each, sort_keys=True, ensure_ascii=False)}"
        for name, each in sorted({**operations, **rest}.items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def test_the_description_is_the_published_one_but_for_its_words() -> None:
    published = json.loads(STORED.read_text("utf-8"))
    now = json.loads(as_text(without_words(bare_app().openapi())))
    assert now.keys() == published.keys()
    for name, each in now.items():
        assert each == published[name], name


def test_words_are_left_out_and_names_are_not() -> None:
    schema = {
        "info": {},
        "components": {
            "securitySchemes": {},
            "schemas": {
                "A": {"title": "A", "properties": {"title": {"type": "string", "title": "Title"}}}
            },
        },
        "paths": {"/a": {"summary": "Get a", "schema": {"$ref": "#/components/schemas/A"}}},
    }
    assert without_words(schema)["paths"] == {
        "/a": {"schema": {"properties": {"title": {"type": "string"}}}}
    }


if __name__ == "__main__":
    STORED.write_text(as_text(without_words(bare_app().openapi())), "utf-8")
    sys.stdout.write(f"{STORED} is written\n")
