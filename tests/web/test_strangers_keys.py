"""Nothing is kept under a key that a stranger chooses: not here, nor in the libraries below."""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from support.fuzzed import fuzzed_system
from touchline.live.rtsp.messages import parse_request
from touchline.web import create_app

pytestmark = pytest.mark.anyio

MARK = "zzqstranger"
HEADERS = (
    "Host",
    "Origin",
    "Referer",
    "Cookie",
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Range",
    "X-API-KEY",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
)
WRITTEN = {
    "Origin": "http://{}.example",
    "Cookie": "touchline_session={0}; {0}={0}",
    "Authorization": "Bearer {}",
    "Content-Type": "application/json; charset={}",
    "Range": "bytes={}-",
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The whole API with a key, and open on loopback."""
    made = {}
    with fuzzed_system(tmp_path_factory.mktemp("key")) as locked:
        made["key"] = create_app(locked)
        with fuzzed_system(tmp_path_factory.mktemp("open")) as system:
            system.settings.auth.api_key = None
            made["open"] = create_app(system)
            yield made


@pytest.mark.parametrize("kind", ["key", "open"])
async def test_no_request_leaves_what_it_says_as_a_key(apps: dict[str, Any], kind: str) -> None:
    app = apps[kind]
    gc.collect()
    for header in HEADERS:
        await asked(app, "GET", "/api/v1/status", header)
        await asked(app, "POST", "/api/v1/links", header)
    for path in list(app.openapi()["paths"]):
        await asked(app, "GET", filled(path), "Host")
    await asked(app, f"X{MARK}", f"/{MARK}", "Host")
    assert kept() == []


def test_no_address_of_the_rtsp_outlet_is_left_as_a_key() -> None:
    request = parse_request(f"DESCRIBE rtsp://{MARK}/{MARK} RTSP/1.0\r\nCSeq: 1".encode())
    assert request.camera == MARK
    del request
    assert kept() == []


async def test_what_is_kept_would_be_found() -> None:
    cached = functools.lru_cache(4)(str.lower)
    cached(f"{MARK}1")
    known = [{f"{MARK}2": 1}, {f"{MARK}3": []}]
    assert sorted(kept()) == [f"{MARK}1", f"{MARK}2", f"{MARK}3"]
    del known


def filled(path: str) -> str:
    while "{" in path:
        head, _, rest = path.partition("{")
        path = f"{head}{MARK}{rest.partition('}')[2]}"
    return path


async def asked(app: Any, method: str, path: str, header: str) -> None:
    """A request as the server's parser would hand it over."""
    text = WRITTEN.get(header, "{}").format(MARK)
    headers = [(header.lower().encode(), text.encode())]
    if header != "Host":
        headers.append((b"host", b"localhost"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "scheme": "http",
        "method": method,
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"{MARK}={MARK}&lines={MARK}".encode(),
        "headers": headers,
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["type"] == "http.response.start"


def kept() -> list[str]:
    """Every key, of a dictionary or of a cache, that holds the stranger's word."""
    gc.collect()
    found: list[str] = []
    for each in gc.get_objects():
        # Dictionaries of plain values are not tracked: only who holds them knows them.
        for held in (each, *gc.get_referents(each)):
            if type(held) is dict:
                found += (key for key in list(held) if isinstance(key, str) and MARK in key)
        if isinstance(each, functools._lru_cache_wrapper):
            found += (word for word in words(each, 3) if MARK in word)
    return list(dict.fromkeys(found))


def words(value: Any, depth: int) -> Iterator[str]:
    """The strings that a cache holds."""
    for each in gc.get_referents(value):
        if isinstance(each, str):
            yield each
        elif isinstance(each, bytes):
            yield each.decode("latin-1")
        elif depth and not callable(each):
            yield from words(each, depth - 1)
