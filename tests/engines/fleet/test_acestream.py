"""What is asked of engines, over real sockets; and what becomes of answers that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest

from support.fakeengines import FakeEngines
from support.fakeruntime import FakeRuntime, World
from support.simulated import simulated_engine
from touchline.engines.fleet.acestream import (
    EngineAnswer,
    EngineUnreachable,
    SessionGone,
    open_acestream,
)
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.sim.httpserver import HttpRequest, Reply, serve

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def started(url: str, key: str = "abc", pid: str = "1") -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        query = {"id": key, "pid": pid, "format": "json"}
        answer = await client.get(f"{url}/ace/getstream", params=query)
    return dict(answer.json()["response"])


async def test_a_well_engine_tells_everything() -> None:
    async with simulated_engine() as (engine, url), open_acestream(concurrency=4) as client:
        await client.status(url, within_s=2)
        assert await client.network_connected(url, within_s=2) is True
        engine.fault = replace(engine.fault, offline=True)
        assert await client.network_connected(url, within_s=2) is False
        assert await client.version(url, within_s=2) == ("linux", "3.2.11-sim")
        session = await started(url)
        stat = await client.stat(session["stat_url"], now=lambda: NOON, within_s=2)
        assert stat.sample.ts == NOON
        assert (stat.sample.peers, stat.sample.speed_down) == (3, 250)
        assert stat.is_live
        assert stat.infohash == session["infohash"]
        assert stat.livepos is not None
        told = await client.analyze(url, session["infohash"], within_s=2)
        assert told["title"] == "Simulated match"
        assert None not in told.values()
        await client.stop(session["command_url"], within_s=2)
        for again in (
            client.stop(session["command_url"], within_s=2),
            client.stat(session["stat_url"], now=lambda: NOON, within_s=2),
        ):
            with pytest.raises(SessionGone):
                await again


async def test_the_fake_agrees_with_the_real_one() -> None:
    world = World()
    runtime, api = FakeRuntime(world), FakeEngines(world)
    spec = EngineSpec(name="a", image="x", ports=(PortMapping(40000, 19000),))
    instance = await runtime.start(spec, within_s=1)
    url = "http://127.0.0.1:19000"
    await api.status(url, within_s=0.05)
    api.play(instance.id, "s")
    stat = await api.stat(f"{url}/ace/stat/a/s", now=lambda: NOON, within_s=0.05)
    assert stat.sample.ts == NOON
    await api.stop(f"{url}/ace/cmd/a/s", within_s=0.05)
    with pytest.raises(SessionGone):
        await api.stat(f"{url}/ace/stat/a/s", now=lambda: NOON, within_s=0.05)
    runtime.freeze(instance.id)
    with pytest.raises(EngineUnreachable):
        await api.status(url, within_s=0.05)
    runtime.kill(instance.id)
    with pytest.raises(EngineUnreachable):
        await api.status(url, within_s=0.05)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"hang": True}, EngineUnreachable),
        ({"delay_ms": 500}, EngineUnreachable),
        ({"status": 500}, EngineAnswer),
        ({"garbage": True}, EngineAnswer),
        ({"empty": True}, EngineAnswer),
    ],
)
async def test_what_is_no_answer_is_named_in_bounded_time(
    fault: dict[str, Any], expected: type[Exception]
) -> None:
    async with simulated_engine() as (engine, url), open_acestream(concurrency=4) as client:
        engine.fault = replace(engine.fault, **fault)
        with anyio.fail_after(2), pytest.raises(expected):
            await client.status(url, within_s=0.2)
        engine.fault = type(engine.fault)()
        await client.status(url, within_s=2)
    with pytest.raises(EngineUnreachable):
        async with open_acestream(concurrency=4) as client:
            await client.status("http://127.0.0.1:1", within_s=1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"response":{"speedDown":7,"speed_up":0,"peers":"12"}}', (12, 7, 0)),
        (b'{"response":{"speed_down":null,"speedDown":5,"peers":1.9}}', (1, 5, None)),
        (b'{"response":{"peers":true,"speed_down":"x","speed_up":-3}}', (None, None, -3)),
        (b'{"response":{}}', (None, None, None)),
    ],
)
async def test_numbers_are_taken_as_engines_write_them(
    body: bytes, expected: tuple[int | None, ...]
) -> None:
    async def answer(_: HttpRequest) -> Reply:
        return Reply(body=body)

    server = await serve(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_acestream(concurrency=4) as client:
        stat = await client.stat(f"http://127.0.0.1:{port}/s", now=lambda: NOON, within_s=2)
    server.close()
    assert (stat.sample.peers, stat.sample.speed_down, stat.sample.speed_up) == expected


@pytest.mark.parametrize(
    "reply",
    [
        Reply(302, headers={"Location": "http://127.0.0.1:1/"}),
        Reply(body=b"[]"),
        Reply(body=b'{"a":' + b"[" * 100_000),
        Reply(body=b" " * ((1 << 20) + 1)),
    ],
)
async def test_redirects_and_floods_are_refused(reply: Reply) -> None:
    async def answer(_: HttpRequest) -> Reply:
        return reply

    server = await serve(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_acestream(concurrency=4) as client:
        with pytest.raises(EngineAnswer):
            await client.status(f"http://127.0.0.1:{port}", within_s=5)
    server.close()
