from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.fakesystem import FakeSystem
from support.serving import exchange, served
from touchline.core.errors import Failed
from touchline.web.http.errors import LastResort
from touchline.web.server.limits import AddressLimit


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    head = (
        b"POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n"
    )
    with served(FakeSystem.make(tmp_path)) as port:
        status, headers, body = exchange(port, head)
    assert (status, headers["connection"]) == (413, "close")
    assert json.loads(body)["code"] == "body_too_large"


@pytest.mark.anyio
async def test_a_failure_after_the_answer_began_is_raised_and_adds_nothing_to_it() -> None:
    sent: list[Any] = []

    async def begins_and_fails(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Failed("half way")

    async def receive() -> Any:
        raise AssertionError("nobody asks")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/"}
    with pytest.raises(Failed, match="half way"):
        await LastResort(begins_and_fails)(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("192.0.2.7", 3),
        ("127.0.0.1", 6),
        ("192.0.2.10", 6),
        ("2001:db8:0:7::{}", 3),
        ("2001:db8:0:{}::1", 6),
    ],
    ids=["client", "this machine", "by its own address", "IPv6 network", "IPv6 networks"],
)
async def test_an_address_has_a_limit_of_requests_under_way(address: str, admitted: int) -> None:
    free, inside, sent = anyio.Event(), 0, []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal inside
        inside += 1
        await free.wait()

    async def send(message: Any) -> None:
        sent.append(message)

    limited = AddressLimit(slow, most=3)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/"}
    scope["server"] = ("192.0.2.10", 8000)

    async def receive() -> Any:
        raise AssertionError("nobody asks")

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            client = (address.format(number), 5000)
            tasks.start_soon(limited.__call__, {**scope, "client": client}, receive, send)
        with anyio.fail_after(5):
            while inside < admitted or len(sent) < 2 * (6 - admitted):
                await anyio.sleep(0.01)
        assert inside == admitted
        starts = [m for m in sent if m["type"] == "http.response.start"]
        assert {m["status"] for m in starts} == ({429} if starts else set())
        free.set()
