"""Routes that do without the framework where there is nothing for it to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """A route whose handler makes its own response; the models of answers only describe it.

    They are built when somebody asks for the description: for a start they would take longer than
    everything else together.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not _makes_its_response(endpoint):
            raise TypeError(f"{endpoint!r} must return a Response: nothing else renders its answer")
        self.describe: Callable[[], APIRoute] = partial(APIRoute, path, endpoint, **options)
        """Make the same route with the models of its answers."""
        super().__init__(path, endpoint, **{**options, "response_model": None, "responses": None})


class DirectRoute(Route):
    """Calls `async def handler(request: Request) -> Response` itself; all others as usual.

    Resolving no dependencies at all takes longer than a read from memory.
    """

    def get_route_handler(self) -> Handler:
        """The handler itself, or what the framework makes of it."""
        if _needs_only_the_request(self.dependant):
            endpoint: Handler = self.endpoint
            return endpoint
        return super().get_route_handler()


def _makes_its_response(endpoint: Callable[..., Any]) -> bool:
    return getattr(endpoint, "__annotations__", {}).get("return") in {Response, Response.__name__}


def _needs_only_the_request(dependant: Dependant) -> bool:
    call = dependant.call
    if call is None or not inspect.iscoroutinefunction(call) or dependant.dependencies:
        return False
    signature = inspect.signature(call)
    return [*signature.parameters] == ["request"] and signature.return_annotation in {
        Response,
        Response.__name__,
    }
