"""The guard of an application: names of the server, and origins of pages."""

from __future__ import annotations

import pytest

from support.fakesystem import FakeSystem
from support.serving import client_of


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:8000", 400),
        ("evil.example@localhost.evil.example", 400),
        ("[::1", 400),
    ],
)
async def test_an_open_server_answers_only_to_names_of_this_machine(
    system: FakeSystem, host: str, status: int
) -> None:
    async with client_of(system, host=host) as client:
        response = await client.get("/api/v1/status")
    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] == "Invalid host header"


@pytest.mark.anyio
async def test_a_server_with_a_key_answers_to_any_name(locked: FakeSystem) -> None:
    async with client_of(locked, host="cameras.club.example") as client:
        assert (await client.get("/api/v1/status")).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("https://localhost:8000", 200),
        ("http://localhost:3000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
async def test_only_the_server_s_own_pages_may_write(
    system: FakeSystem, origin: str, status: int
) -> None:
    async with client_of(system, origin=origin) as client:
        write = await client.post("/api/v1/recording", json={"match_id": "m1"})
        read = await client.get("/api/v1/status")
    assert (write.status_code, read.status_code) == (status, 200)
    assert system.capture.recorder.match_id == ("m1" if status == 200 else None)


@pytest.mark.anyio
async def test_no_other_origin_may_read_answers_unless_it_is_configured(
    system: FakeSystem,
) -> None:
    headers = {"origin": "http://club.example"}
    async with client_of(system, **headers) as client:
        refused = await client.get("/api/v1/status")
    system.settings.auth.cors_origins = ("http://club.example",)
    async with client_of(system, **headers) as client:
        allowed = await client.get("/api/v1/status")
        write = await client.post("/api/v1/recording", json={})
        preflight = await client.options(
            "/api/v1/recording", headers={"access-control-request-method": "DELETE"}
        )
    assert "access-control-allow-origin" not in refused.headers
    assert allowed.headers["access-control-allow-origin"] == "http://club.example"
    assert "access-control-allow-credentials" not in allowed.headers
    assert write.status_code == 200
    assert preflight.status_code == 200
