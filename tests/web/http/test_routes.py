"""Direct routes: their handlers are called past the framework, with the framework's results."""

from __future__ import annotations

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from starlette.types import Scope

from touchline.core.errors import NotFound
from touchline.web.http.answers import answer
from touchline.web.http.errors import CodedError, LastResort, install_errors
from touchline.web.http.routes import DirectRoute, DirectRoutes

pytestmark = pytest.mark.anyio

PATHS = (
    "/read",
    "/coded",
    "/refused",
    "/http",
    "/broken",
    "/named/7",
    "/filtered?limit=3",
    "/none",
)
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def application(*, direct: bool) -> FastAPI:
    """An application with routes of every sort; with or without the middleware."""
    router = APIRouter(route_class=DirectRoute)

    @router.get("/read")
    async def read(request: Request) -> Response:
        return answer({"route": request.scope["route"].path, "query": dict(request.query_params)})

    @router.get("/coded")
    async def coded(request: Request) -> Response:
        raise CodedError(413, request.scope["path"], code="too_large")

    @router.get("/refused")
    async def refused(request: Request) -> Response:
        raise NotFound(request.scope["path"], code="engine_not_found")

    @router.get("/http")
    async def http(request: Request) -> Response:
        raise HTTPException(418, request.scope["path"])

    @router.get("/broken")
    async def broken(request: Request) -> Response:
        raise KeyError(request.scope["path"])

    @router.get("/named/{number}")
    async def named(number: int) -> Response:
        return answer(number)

    @router.get("/filtered")
    async def filtered(limit: int = 1) -> Response:
        return answer(limit)

    app = FastAPI()
    app.router.routes.extend(router.routes)
    install_errors(app, {})
    if direct:
        app.add_middleware(
            DirectRoutes, routes=app.router.routes, error_handlers=app.exception_handlers
        )
    app.add_middleware(LastResort)
    return app


async def asked(app: FastAPI, method: str, path: str) -> tuple[int, dict[str, str], str]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        response = await client.request(method, path)
    body = response.text if response.status_code != 500 else response.text.rpartition("under")[0]
    return response.status_code, dict(response.headers), body


@pytest.mark.parametrize("path", PATHS)
async def test_a_direct_route_answers_as_the_framework_would(path: str) -> None:
    plain, direct = application(direct=False), application(direct=True)
    for method in METHODS:
        expected = await asked(plain, method, path)
        assert await asked(direct, method, path) == expected
    assert (await asked(direct, "GET", path))[0] != 405


async def test_only_routes_that_need_nothing_but_the_request_are_direct() -> None:
    app = application(direct=False)

    async def framework(scope: object, receive: object, send: object) -> None:
        reached.append(scope)

    reached: list[object] = []
    middleware = DirectRoutes(framework, routes=app.router.routes, error_handlers={})
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    for path in ("/read", "/named/7", "/filtered"):
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [],
            "query_string": b"",
        }
        await middleware(scope, lambda: None, send)  # type: ignore[arg-type, return-value]
    assert [each["path"] for each in reached] == ["/named/7", "/filtered"]  # type: ignore[index]
    assert len(sent) == 2
