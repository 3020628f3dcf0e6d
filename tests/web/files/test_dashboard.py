"""How the built dashboard is sent: to browsers, compressed, and once."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.web.files import dashboard

pytestmark = pytest.mark.anyio

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
SCRIPT = b"console.log('touchline');" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assets = tmp_path / "static" / "assets"
    assets.mkdir(parents=True)
    (assets / "index-abc.js").write_bytes(SCRIPT)
    (assets / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets.parent / "index.html").write_text("<!doctype html><title>touchline</title>")
    (assets.parent / ".built").write_text("hash")
    return assets.parent


@pytest.fixture
def client(folder: Path) -> httpx.AsyncClient:
    files = dashboard.load(folder)

    app = FastAPI()
    app.include_router(dashboard.routes(files))

    @app.get("/")
    async def service() -> dict[str, str]:
        return {"service": "touchline"}

    paged = dashboard.Page(app, page=files[dashboard.PAGE])
    return httpx.AsyncClient(transport=httpx.ASGITransport(paged), base_url="http://here")


async def test_browsers_get_the_page_and_programs_the_service(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    for accept in ("*/*", "application/json"):
        told = await client.get("/", headers={"Accept": accept})
        assert told.json() == {"service": "touchline"}


async def test_what_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/", headers=BROWSER)).headers["etag"]
    again = await client.get("/", headers={**BROWSER, "If-None-Match": etag})
    assert again.status_code == 304
    assert again.content == b""


async def test_files_come_compressed_where_the_browser_takes_that(
    client: httpx.AsyncClient,
) -> None:
    path = "/assets/index-abc.js"
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert plain.content == SCRIPT
    assert "content-encoding" not in plain.headers
    packed = await client.get(path, headers={"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 4
    assert packed.content == SCRIPT
    assert "immutable" in packed.headers["cache-control"]


@pytest.mark.parametrize("path", ["/.built", "/assets/index-abc.js.gz", "/assets/..%2f.built"])
async def test_nothing_else_of_the_folder_is_sent(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_server_without_a_built_dashboard_serves_its_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dashboard.load(tmp_path / "nothing") == {}
    monkeypatch.setattr(dashboard, "load", dict)
    async with client_of(FakeSystem.make(tmp_path)) as client:
        told = await client.get("/", headers=BROWSER)
        assert told.json()["service"] == "touchline"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("pitch.local:8000", "'self' ws://pitch.local:8000 wss://pitch.local:8000"),
        ("[::1]:8000", "'self' ws://[::1]:8000 wss://[::1]:8000"),
        ("cameras.club.example", "'self' ws://cameras.club.example wss://cameras.club.example"),
        ("*", "'self'"),
        ("a; script-src *", "'self'"),
        ("a b", "'self'"),
        ("", "'self'"),
    ],
)
def test_the_page_may_speak_to_its_own_host_alone(host: str, allowed: str) -> None:
    policy = dict(part.split(" ", 1) for part in dashboard.content_policy(host).split("; "))
    assert policy["connect-src"] == allowed
    assert policy["default-src"] == "'self'"
