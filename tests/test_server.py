from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from touchline.server import serve
from touchline.settings import Settings, load_settings
from touchline.system import hold_data_dir

pytestmark = pytest.mark.anyio

CAMERA = {"kind": "test", "width": 320, "height": 180}


def settings(tmp_path: Path, **more: Any) -> Settings:
    return load_settings(
        flags={"data_dir": str(tmp_path), "port": 0, **more},
        defaults={"capture": {"cameras": {"0": CAMERA}}},
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_it_tells_its_url_and_cancelling_closes_everything(tmp_path: Path, host: str) -> None:
    if host == "::1":
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("no IPv6 on this machine")
    one = settings(tmp_path, host=host)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            url = await tasks.start(serve, one)
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"{url}/api/v1/pipeline-state")
            assert answer.json()["mode"] == "idle"
            tasks.cancel_scope.cancel()
        async with hold_data_dir(tmp_path):
            parts = urlsplit(url)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((parts.hostname, parts.port), 2)


async def test_idle_connections_do_not_keep_anybody_out(tmp_path: Path) -> None:
    one = settings(tmp_path, http={"max_connections": 16})
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            url = await tasks.start(serve, one)
            parts = urlsplit(url)
            idle = [
                await anyio.connect_tcp(parts.hostname or "", parts.port or 0) for _ in range(40)
            ]
            async with httpx.AsyncClient() as client:
                answer = await client.get(f"{url}/api/v1/pipeline-state")
                assert answer.status_code == 200
                text = (await client.get(f"{url}/metrics")).text
            assert "touchline_http_connections_limit 16.0" in text
            assert 'touchline_http_connections_dismissed_total{reason="room"}' in text
            assert "touchline_spare_descriptors " in text
            for each in idle:
                await each.aclose()
            tasks.cancel_scope.cancel()


MOST_AN_ADDRESS = 4


@pytest.mark.parametrize(
    ("proxies", "forwarded", "admitted"),
    [
        pytest.param(["127.0.0.1"], "{}", MOST_AN_ADDRESS, id="trusted"),
        pytest.param(["127.0.0.0/8"], "127.0.0.1, {}", MOST_AN_ADDRESS, id="and the client lies"),
        pytest.param(["192.0.2.1"], "{}", MOST_AN_ADDRESS + 2, id="not trusted"),
    ],
)
async def test_clients_have_a_limit_each_behind_a_trusted_proxy_only(
    tmp_path: Path, proxies: list[str], forwarded: str, admitted: int
) -> None:
    """The test is the proxy. Without trust all requests are its own, and this machine has no
    limit."""
    http = {"max_connections_per_address": MOST_AN_ADDRESS, "trusted_proxies": proxies}
    clients = [forwarded.format(address) for address in ("198.51.100.7", "198.51.100.8")]
    with anyio.fail_after(30):
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(anyio.create_task_group())
            url = await tasks.start(serve, settings(tmp_path, http=http))
            for client in clients:
                answers = [
                    await stack.enter_async_context(half_asked(url, client))
                    for _ in range(MOST_AN_ADDRESS + 2)
                ]
                refused = [head for head in answers if head.startswith("HTTP/1.1 429 ")]
                assert answers[admitted:] == refused
                assert all("retry-after: 1\r\n" in head.lower() for head in refused)
                assert {head.split()[1] for head in answers[:admitted]} == {"100"}
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def half_asked(url: str, forwarded_for: str) -> AsyncIterator[str]:
    """The head of what the server says to a request whose body is not sent meanwhile."""
    parts = urlsplit(url)
    stream = await anyio.connect_tcp(parts.hostname or "", parts.port or 0)
    async with stream:
        await stream.send(
            b"PUT /api/v1/matches/m1/details HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"X-Forwarded-For: " + forwarded_for.encode() + b"\r\n\r\n"
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive()
        yield head.decode()
