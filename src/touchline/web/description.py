"""The API's OpenAPI description, built on request so that it does not delay the start.

Routes document their own responses. Responses of guards, limits and parsers in front of them are
derived here from what a route accepts (a body, a path with parameters, the key), so that none is
forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from touchline.web.http.answers import answer
from touchline.web.http.methods import SAFE_METHODS
from touchline.web.http.routes import Route

PATH = "/openapi.json"
_SCHEMAS = "#/components/schemas/"

BEFORE_ROUTES = {
    405: "the method is not allowed; `Allow` lists those that are",
    408: "the request did not arrive completely in time",
    431: "the request header is too large",
    503: "too many connections to the server",
}
"""Responses sent before a request is routed to an operation."""

_BEFORE_ROUTES = "Any request may be answered before it reaches an operation: {}.".format(
    "; ".join(f"{status}, {text}" for status, text in BEFORE_ROUTES.items())
)

Security = list[dict[str, list[str]]]

BY_KEY: Security = [{"bearer": []}, {"key": []}]
AS_MEDIA: Security = [*BY_KEY, {"basic": []}, {"link": []}]

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})
_REFUSALS = {
    "400": (
        "Unreadable",
        "The Host header is not one of this server's names, or the body is not valid text.",
    ),
    "401": ("NoKey", "Authentication is required and the request has no key."),
    "403": ("Forbidden", "The key is wrong, or the request comes from a page of another site."),
    "404": ("NotFound", "Not found."),
    "413": ("TooLarge", "The request body is too large."),
    "429": ("TooMany", "Too many requests from this address; retry after `Retry-After` seconds."),
    "500": ("Failed", "The server failed to process the request; the reason is in the log."),
}


@dataclass(frozen=True)
class KeyRules:
    """Reads that need the key on one server, in addition to those that always need it."""

    has_key: bool
    security_of: Callable[[str, str], Security | None]
    """Security of a read on this server, by path and method; None if other servers need none."""


ANY_SERVER = KeyRules(has_key=True, security_of=lambda _path, _method: None)


def described(app: FastAPI, rules: KeyRules) -> FastAPI:
    """Make `app` serve its description at `/openapi.json`, built once, in a thread."""
    making = threading.Lock()
    asking = anyio.CapacityLimiter(1)

    def describe() -> dict[str, Any]:
        with making:
            if app.openapi_schema is None:
                app.openapi_schema = _description(app, rules)
            return app.openapi_schema

    async def openapi(_: Request) -> Response:
        return await to_thread.run_sync(lambda: answer(describe()), limiter=asking)

    app.openapi = describe  # type: ignore[method-assign]
    app.add_route(PATH, openapi, include_in_schema=False)
    return app


def _description(app: FastAPI, rules: KeyRules) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        summary=app.summary,
        description=_BEFORE_ROUTES,
        routes=[route.describe() if isinstance(route, Route) else route for route in app.routes],
    )
    complete_schema(schema, rules)
    _drop_unreferenced(schema)
    return schema


def _drop_unreferenced(schema: dict[str, Any]) -> None:
    """Remove the schemas that no operation leads to, such as those of undocumented fields."""
    schemas = schema["components"]["schemas"]
    rest = {key: each for key, each in schema["components"].items() if key != "schemas"}
    used: set[str] = set()
    waiting = {*_references([schema["paths"], rest])}
    while waiting:
        used |= waiting
        waiting = {name for each in waiting for name in _references(schemas[each])} - used
    for name in schemas.keys() - used:
        del schemas[name]


def _references(value: Any) -> Iterator[str]:
    """Yield the names of the schemas that a value refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(_SCHEMAS):
            yield reference.removeprefix(_SCHEMAS)
        for each in value.values():
            yield from _references(each)


def complete_schema(schema: dict[str, Any], rules: KeyRules) -> None:
    """Add the security requirements and the responses sent before a route is reached."""
    refusals = schema["components"].setdefault("responses", {})
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    for name, text in _REFUSALS.values():
        refusals[name] = {"description": text, "content": content}
    for path, method, operation in _operations(schema):
        if not rules.has_key:
            # Credentials that are sent nevertheless are ignored.
            operation.pop("security", None)
        elif "security" not in operation:
            security = rules.security_of(path, method)
            if security is not None:
                operation["security"] = security
        for status in _refusals_of(path, method, operation):
            name, _ = _REFUSALS[status]
            found = {"$ref": f"#/components/responses/{name}"}
            operation["responses"].setdefault(status, found)


def _refusals_of(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from ("400", "429", "500")
    if "security" in operation:
        yield from ("401", "403")
    if method.upper() not in SAFE_METHODS:
        yield "403"
    if "{" in path:
        yield "404"
    if "requestBody" in operation:
        yield "413"


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        yield from ((path, method, each) for method, each in item.items() if method in _METHODS)
