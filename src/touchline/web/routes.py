"""A route that does without the framework where there is nothing for it to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """Calls `async def handler(request: Request) -> Response` itself; all others as usual.

    Resolving no dependencies at all takes longer than a read from memory.
    """

    def get_route_handler(self) -> Handler:
        """The handler itself, or what the framework makes of it."""
        if _needs_only_the_request(self.dependant):
            endpoint: Handler = self.endpoint
            return endpoint
        return super().get_route_handler()


def _needs_only_the_request(dependant: Dependant) -> bool:
    call = dependant.call
    if call is None or not inspect.iscoroutinefunction(call) or dependant.dependencies:
        return False
    signature = inspect.signature(call)
    return [*signature.parameters] == ["request"] and signature.return_annotation in {
        Response,
        Response.__name__,
    }
