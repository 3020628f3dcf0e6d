"""What of the engines' API needs the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from support.enginesapi import WITH_KEY, Api
from support.fakesystem import FakeSystem
from support.half import opened_half
from support.serving import KEY, client_of
from touchline.engines.model.model import EngineSpec

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/provision"),
        ("POST", "/provision/acestream"),
        ("POST", "/scale/1"),
        ("POST", "/gc"),
        ("POST", "/engines/select"),
        ("DELETE", "/containers/x"),
        ("POST", "/events/stream_started"),
        ("POST", "/events/stream_ended"),
        ("GET", "/by-label?key=a&value=b"),
        ("POST", "/health/circuit-breaker/reset"),
        ("POST", "/custom-variant/config"),
        ("POST", "/custom-variant/reprovision"),
        ("POST", "/custom-variant/templates/1"),
        ("DELETE", "/custom-variant/templates/1"),
        ("PATCH", "/custom-variant/templates/1/rename"),
        ("POST", "/custom-variant/templates/1/activate"),
        ("POST", "/custom-variant/templates/1/import"),
        ("POST", "/cache/clear"),
        ("DELETE", "/streams/x"),
    ],
)
async def test_writes_need_the_key(api: Api, method: str, path: str) -> None:
    for headers, status, words in (
        ({}, 401, "missing bearer token"),
        ({"Authorization": "Basic x"}, 401, "missing bearer token"),
        ({"Authorization": "Bearer wrong"}, 403, "invalid token"),
        ({"X-API-KEY": "wrong"}, 403, "invalid token"),
    ):
        answer = await api.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (status, words)


async def test_a_stranger_is_shown_with_the_key_alone(api: Api) -> None:
    stranger = await api.half.runtime.start(EngineSpec(name="theirs", image="x"), within_s=1)
    instance = api.half.world.instances[stranger.id]
    api.half.world.instances[stranger.id] = type(instance)(
        **{
            **{name: getattr(instance, name) for name in instance.__dataclass_fields__},
            "labels": {},
        }
    )
    await api.ask("GET", f"/containers/{stranger.id}", 404, headers={})
    assert (await api.ask("GET", f"/containers/{stranger.id}"))["name"] == "theirs"
    refused = await api.ask("DELETE", f"/containers/{stranger.id}", 409)
    assert refused["detail"]["code"] == "not_managed"


async def test_closed_reads_need_the_key_but_for_life_and_readiness(
    tmp_path: Path,
) -> None:
    async with opened_half() as half:
        system = FakeSystem.make(tmp_path)
        system.engines = half.front
        system.settings.auth.api_key = SecretStr(KEY)
        system.settings.auth.reads = True
        async with client_of(system) as client:
            assert (await client.get("/engines")).status_code == 401
            assert (await client.get("/api/v1/status")).status_code == 401
            assert (await client.get("/engines", headers=WITH_KEY)).status_code == 200
            assert (await client.get("/health")).status_code == 200
            assert (await client.get("/health/ready")).status_code == 200
