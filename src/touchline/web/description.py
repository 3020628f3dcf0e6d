"""Makes the API's description, when somebody asks for it: a start does without.

It says what is true of every route of a kind, so that none can forget it: a route that reads a
body may find that it is no JSON (400) or too large (413), whatever else it documents.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from touchline.web.answers import answer
from touchline.web.routes import Route

PATH = "/openapi.json"
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_OF_A_BODY = {
    "400": "The body cannot be read.",
    "413": "The body is larger than any this server has a use for.",
}


def described(app: FastAPI) -> FastAPI:
    """Have `app` describe itself at `/openapi.json`, made once, in a thread."""
    making = threading.Lock()
    asking = anyio.CapacityLimiter(1)

    def describe() -> dict[str, Any]:
        with making:
            if app.openapi_schema is None:
                app.openapi_schema = _description(app)
            return app.openapi_schema

    async def openapi(_: Request) -> Response:
        return await to_thread.run_sync(lambda: answer(describe()), limiter=asking)

    app.openapi = describe  # type: ignore[method-assign]
    app.add_route(PATH, openapi, include_in_schema=False)
    return app


def _description(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        summary=app.summary,
        routes=[route.describe() if isinstance(route, Route) else route for route in app.routes],
    )
    complete_refusals(schema)
    return schema


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
