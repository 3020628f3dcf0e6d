"""CORS: what pages of configured origins may ask, and that refusals can be read by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import client_of

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
ORIGIN = "https://club.example"


@pytest.fixture
def open_to_club(tmp_path: Path) -> FakeSystem:
    system = FakeSystem.make(tmp_path)
    system.settings.auth.cors_origins = (ORIGIN,)
    system.settings.auth.api_key = SecretStr(KEY)
    system.settings.auth.reads = True
    return system


@pytest.mark.parametrize("path", ["/api/v1/status", "/provision/acestream", "/hls/cam0.m3u8"])
async def test_a_preflight_needs_no_key(open_to_club: FakeSystem, path: str) -> None:
    sent = "authorization, x-api-key, content-type, idempotency-key, last-event-id, range, if-range"
    asks = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": sent,
    }
    async with client_of(open_to_club, **asks) as client:
        reply = await client.options(path)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    allowed = {
        name.strip().lower() for name in reply.headers["access-control-allow-headers"].split(",")
    }
    assert set(sent.split(", ")) <= allowed


async def test_a_refusal_can_be_read_by_the_page_that_caused_it(open_to_club: FakeSystem) -> None:
    async with client_of(open_to_club, origin=ORIGIN) as client:
        replies = [
            await client.get("/api/v1/status"),
            await client.get("/api/v1/status", headers={"x-api-key": "wrong"}),
            await client.delete("/api/v1/recording"),
            await client.post("/api/v1/session", content=b"x" * 100_000),
            await client.get("/nowhere", headers={"x-api-key": KEY}),
        ]
    assert [reply.status_code for reply in replies] == [401, 403, 401, 413, 404]
    for reply in replies:
        assert reply.headers["access-control-allow-origin"] == ORIGIN
        exposed = reply.headers["access-control-expose-headers"]
        assert {"Retry-After", "Content-Range", "ETag", "WWW-Authenticate"} <= set(
            exposed.split(", ")
        )


async def test_other_origins_get_no_permission(open_to_club: FakeSystem) -> None:
    asks = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    async with client_of(open_to_club, **asks) as client:
        preflight = await client.options("/api/v1/status")
        reply = await client.get("/api/v1/status", headers={"x-api-key": KEY})
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("keyed", [True, False])
async def test_other_sites_cannot_embed_what_an_open_server_shows(
    tmp_path: Path, *, keyed: bool
) -> None:
    system = FakeSystem.make(tmp_path)
    if keyed:
        system.settings.auth.api_key = SecretStr(KEY)
    async with client_of(system) as client:
        for path in ("/api/v1/cameras/0/snapshot.jpg", "/hls/cam0.m3u8", "/api/v1/status"):
            reply = await client.get(path, headers={"x-api-key": KEY} if keyed else {})
            policy = reply.headers.get("cross-origin-resource-policy")
            assert policy == (None if keyed else "same-origin")
