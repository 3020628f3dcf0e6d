"""Requests that wait for an engine: their clients give up and ask again, at once."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from fastapi import Request
from starlette.types import Message

from support.fakeruntime import FakeRuntime
from support.fakesystem import FakeSystem
from support.half import HalfRig, opened_half, settings_for
from support.serving import served_while
from touchline.core.errors import Blocked
from touchline.engines.model.model import EngineSpec, Instance
from touchline.web.http.asking import while_connected

PATIENCE_S = 0.3


class GatedRuntime(FakeRuntime):
    """Starts nothing until it is let to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = anyio.Event()

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        await self.gate.wait()
        return await super().start(spec, within_s=within_s)


class Served:
    """A server whose engines take as long to start as the test wants."""

    port: int
    rig: HalfRig
    runtime: GatedRuntime
    loop: asyncio.AbstractEventLoop

    def let_engines_start(self) -> None:
        self.loop.call_soon_threadsafe(self.runtime.gate.set)

    @property
    def waiting(self) -> bool:
        """Whether a client waits for a start."""
        return any(not flight.is_left for flight in list(self.rig.front.fleet.flights))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served()

    @asynccontextmanager
    async def opened() -> AsyncIterator[FakeSystem]:
        found.loop = asyncio.get_running_loop()
        settings = settings_for(scaling={"max_replicas": 10})
        found.runtime = runtime = GatedRuntime()
        async with opened_half(settings, world=runtime.world, runtime=runtime) as found.rig:
            system = FakeSystem.make(tmp_path)
            system.engines = found.rig.front
            yield system

    with served_while(opened) as found.port:
        yield found


ORDERS = [
    pytest.param("/provision/acestream", {}, id="plain"),
    pytest.param("/provision/acestream", {"labels": {"stream_id": "7"}}, id="labelled"),
    pytest.param("/engines/select", {}, id="select"),
]


@pytest.mark.parametrize(("path", "order"), ORDERS)
def test_a_client_that_gives_up_and_asks_again_at_once_starts_one_engine(
    served: Served, path: str, order: dict[str, object]
) -> None:
    url = f"http://127.0.0.1:{served.port}{path}"
    for _ in range(3):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json=order, timeout=PATIENCE_S)
    served.let_engines_start()
    found = httpx.post(url, json=order, timeout=20.0)
    assert found.status_code == 200, found.text
    assert served.rig.world.starts == 1


@pytest.mark.parametrize("ends", ["closed", "reset"])
@pytest.mark.parametrize("busy_s", [0.0, 0.05], ids=["idle server", "busy server"])
def test_a_connection_that_ends_as_the_next_one_asks_starts_no_second_engine(
    served: Served, ends: str, busy_s: float
) -> None:
    body = json.dumps({"labels": {"stream_id": "7"}}).encode()
    head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    request = f"POST /provision/acestream HTTP/1.1\r\n{head}\r\n\r\n".encode() + body
    one, other = (socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in "ab")
    one.sendall(request)
    for _ in range(10):
        until(lambda: served.waiting)
        if ends == "reset":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        # A server that is busy finds both at once.
        served.loop.call_soon_threadsafe(time.sleep, busy_s)
        one.close()
        other.sendall(request)
        one, other = other, socket.create_connection(("127.0.0.1", served.port), timeout=20)
    served.let_engines_start()
    assert b" 200 OK" in one.recv(65536)
    one.close()
    other.close()
    assert served.rig.world.starts == 1


@pytest.mark.anyio
async def test_work_is_not_begun_for_a_client_that_has_gone() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def work() -> None:
        raise AssertionError("it was begun")

    with pytest.raises(Blocked):
        await while_connected(Request({"type": "http"}, receive), work())


def until(condition: object, within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
