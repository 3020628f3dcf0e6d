"""Who may do what: keys of requests, and what each route asks for."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from support.fakesystem import FakeSystem
from support.serving import KEY, client_of
from touchline.web.app import ROUTERS
from touchline.web.auth.auth import MEDIA, NEEDS_KEY, PRIVATE, PRIVATE_MEDIA
from touchline.web.auth.medialinks import media_scope

WRITES = [
    ("POST", "/api/v1/recording"),
    ("DELETE", "/api/v1/recording"),
    ("DELETE", "/api/v1/recordings/m1"),
    ("POST", "/api/v1/recordings/m1/verify"),
]
FILES = [
    ("GET", "/api/v1/recordings/m1/download"),
    ("HEAD", "/api/v1/recordings/m1/download"),
    ("GET", "/api/v1/recordings/m1/segments/cam0.mp4"),
    ("GET", "/api/v1/recordings/m1/files/match.json"),
]
OPEN = ["/", "/metrics", "/api/v1/status", "/api/v1/recordings", "/openapi.json"]


def guards() -> dict[tuple[str, str], Any]:
    """What each documented operation asks for: one of the four, or nothing."""
    kinds = (NEEDS_KEY, MEDIA, PRIVATE, PRIVATE_MEDIA)
    return {
        (method, route.path): next((kind for kind in kinds if kind in route.dependencies), None)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }


SIGNING_IN = {("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")}


def test_every_route_that_writes_asks_for_the_key_itself() -> None:
    asked = {
        operation: guard
        for operation, guard in guards().items()
        if operation[0] not in {"GET", "HEAD", "OPTIONS"}
    }
    assert asked
    open_ = {operation for operation, guard in asked.items() if guard is None} - SIGNING_IN
    assert {guard for guard in asked.values() if guard is not None} == {NEEDS_KEY}
    assert open_ == set(), "no write may be open, or be opened by a password or a link"


REAL = {
    "match_id": "m1",
    "camera": "cam0",
    "camera_id": "0",
    "file_name": "cam0.mp4",
    "segment_name": "cam0.mp4",
    "sequence": "1",
    "suffix": "ts",
}


def test_what_players_open_is_what_links_are_for() -> None:
    media = {path for (_, path), guard in guards().items() if guard in (MEDIA, PRIVATE_MEDIA)}
    assert len(media) == 11
    for template in {path for _, path in guards()}:
        path = template.replace("/hls/{name}", "/hls/cam0.m3u8").format_map(Names())
        assert (media_scope(path, "") is not None) == (template in media), path


class Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return REAL.get(name, "1")


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path"), WRITES + FILES)
async def test_without_a_key_a_write_or_a_file_is_401(
    locked: FakeSystem, method: str, path: str
) -> None:
    body: dict[str, str] | None = {} if path.endswith("/recording") and method == "POST" else None
    async with client_of(locked) as client:
        response = await client.request(method, path, json=body)
    assert response.status_code == 401
    challenges = response.headers.get_list("www-authenticate")
    assert challenges[0] == "Bearer"
    assert (len(challenges) == 2) is ((method, path) in FILES), "players are asked for a password"
    if method != "HEAD":
        assert response.json() == {"detail": "missing bearer token"}
    assert locked.capture.recorder.match_id is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": "Bearer schlüssel"},
        {"x-api-key": "wrong"},
        {"authorization": "Bearer wrong", "x-api-key": KEY},
    ],
)
async def test_a_wrong_key_is_403(locked: FakeSystem, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    async with client_of(locked) as client:
        response = await client.request("DELETE", "/api/v1/recording", headers=raw)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (403, {"detail": "invalid token"})


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", KEY, "Bearer", ""])
async def test_a_header_that_is_no_bearer_token_is_401(locked: FakeSystem, header: str) -> None:
    async with client_of(locked, authorization=header) as client:
        response = await client.delete("/api/v1/recording")
    assert response.status_code == 401


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}])
async def test_the_key_opens_either_way(locked: FakeSystem, headers: dict[str, str]) -> None:
    async with client_of(locked, **headers) as client:
        response = await client.post("/api/v1/recording", json={"match_id": "m1"})
    assert response.json()["success"] is True


@pytest.mark.anyio
@pytest.mark.parametrize("path", OPEN)
async def test_reading_the_state_needs_no_key(locked: FakeSystem, path: str) -> None:
    async with client_of(locked) as client:
        assert (await client.get(path)).status_code == 200
