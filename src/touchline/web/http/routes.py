"""Routes that bypass the framework where it has nothing to do."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
ErrorHandler = Callable[[Request, Exception], Response | Awaitable[Response]]


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

    @property
    def is_direct(self) -> bool:
        """Whether the handler needs nothing but the request."""
        return _needs_only_the_request(self.dependant)

    def get_route_handler(self) -> Handler:
        """Return the handler itself, or the framework's wrapper for other handlers."""
        if _needs_only_the_request(self.dependant):
            endpoint: Handler = self.endpoint
            return endpoint
        return super().get_route_handler()


class DirectRoutes:
    """Middleware that calls the handlers of direct routes with a fixed path.

    The framework's search for the route and its exit stacks take as long as the handler of a read
    from memory. Exceptions are handled as the framework does, by the application's handlers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: Iterable[BaseRoute],
        error_handlers: Mapping[Any, ErrorHandler],
    ) -> None:
        self._app = app
        self._error_handlers = error_handlers
        self._handlers: dict[tuple[str, str], tuple[DirectRoute, Handler]] = {
            (method, route.path): (route, route.get_route_handler())
            for route in routes
            if isinstance(route, DirectRoute) and route.is_direct and "{" not in route.path
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        found = self._handlers.get((scope["method"], scope["path"])) if "method" in scope else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], handle = found
        request = Request(scope, receive, send)
        try:
            response = await handle(request)
        except Exception as error:  # noqa: BLE001  (raised again where no handler is for it)
            response = await self._render(request, error)
        await response(scope, receive, send)

    async def _render(self, request: Request, error: Exception) -> Response:
        """Return the response to an error; raise an error that no handler is for."""
        handler = next(filter(None, map(self._error_handlers.get, type(error).__mro__)), None)
        if handler is None:
            raise error
        rendered = handler(request, error)
        return rendered if isinstance(rendered, Response) else await rendered


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
