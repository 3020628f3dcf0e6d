"""Says in the API's description what is true of every route of a kind, so that none can forget it.

A route that reads a body may find that it is no JSON (400) or too large (413), whatever else it
documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_OF_A_BODY = {
    "400": "The body cannot be read.",
    "413": "The body is larger than any this server has a use for.",
}


def described(app: FastAPI) -> FastAPI:
    """Have `app` complete its description when it is asked for it."""
    describe = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete_refusals(describe())
        return describe()

    app.openapi = complete  # type: ignore[method-assign]
    return app


def complete_refusals(schema: dict[str, Any]) -> None:
    """Document how bodies are refused, wherever one is taken."""
    for operation in _operations(schema):
        if "requestBody" not in operation:
            continue
        for status, text in _OF_A_BODY.items():
            content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
            operation["responses"].setdefault(status, {"description": text, "content": content})


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in schema["paths"].values():
        yield from (each for method, each in path.items() if method in _METHODS)
