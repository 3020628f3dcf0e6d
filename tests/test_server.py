from __future__ import annotations

import socket
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
