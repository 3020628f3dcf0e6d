"""Routes that bypass the framework where it has nothing to do."""

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
    """Route whose handler creates its own response; response models only describe it.

    The models are built when the OpenAPI description is requested: building them at startup would
    take longer than the rest of the startup.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not _makes_its_response(endpoint):
            raise TypeError(f"{endpoint!r} must return a Response: nothing else renders its answer")
        self.describe: Callable[[], APIRoute] = partial(APIRoute, path, endpoint, **options)
        """Build the same route with its response models."""
        super().__init__(path, endpoint, **{**options, "response_model": None, "responses": None})


class DirectRoute(Route):
    """Route that calls `async def handler(request: Request) -> Response` directly, if it is one.

    FastAPI's dependency resolution takes longer than a read from memory, even without dependencies.
    """

    def get_route_handler(self) -> Handler:
        """Return the handler itself, or the framework's wrapper for other handlers."""
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
