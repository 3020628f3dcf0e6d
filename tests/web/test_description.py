"""The description is made when it is asked for; routes are made without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import Request, Response
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.web.app import ROUTERS, bare_app
from touchline.web.http.routes import Route

pytestmark = pytest.mark.anyio

LATER = ("aiodocker", "aiohttp", "aiortc", "alembic", "av", "boto3", "cv2", "gi", "numpy", "scipy")
STARTED = f"""
import sys
import touchline.server, touchline.settings.tree

print([name for name in {LATER!r} if name in sys.modules])
"""


def test_a_start_loads_nothing_that_can_wait() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_each_route_makes_its_response_itself() -> None:
    others = [each for router in ROUTERS for each in router.routes if not isinstance(each, Route)]
    assert others == []


def test_a_handler_that_leaves_its_response_to_the_framework_is_refused() -> None:
    async def told(request: Request) -> dict[str, str]:
        return {"path": request.url.path}

    with pytest.raises(TypeError, match="must return a Response"):
        Route("/told", told)


def test_the_models_of_answers_are_in_the_description_alone() -> None:
    async def told(_: Request) -> Response:
        return Response(b"17")

    route = Route("/told", told, response_model=int, responses={404: {"model": str}})
    assert (route.response_field, route.response_fields) == (None, {})
    described = route.describe()
    assert described.response_field is not None
    assert described.response_fields.keys() == {404}


def test_no_schema_is_published_that_no_operation_leads_to() -> None:
    schema = bare_app().openapi()
    text = json.dumps(schema)
    schemas = schema["components"]["schemas"]
    assert "CameraStatus" in schemas
    assert "WorkerState" not in schemas, "it is of a field that is not documented"
    assert [name for name in schemas if f'"#/components/schemas/{name}"' not in text] == []


async def test_it_is_made_once_and_is_that_of_the_schema(tmp_path: Path) -> None:
    system = FakeSystem.make(tmp_path)
    system.settings.auth.api_key = SecretStr("a-key")
    async with client_of(system) as client:
        first = await client.get("/openapi.json")
        assert first.headers["content-type"] == "application/json"
        assert first.json() == bare_app().openapi()
        assert (await client.get("/openapi.json")).content == first.content
        assert (await client.head("/openapi.json")).status_code == 200
