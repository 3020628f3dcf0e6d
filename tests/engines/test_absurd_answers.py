"""Engines that answer nonsense: what is asked of them fails as declared, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from support.fakeengines import FakeEngines
from support.fakeruntime import World
from support.half import HalfRig, opened_half, settings_for
from touchline.core.errors import Blocked
from touchline.core.metrics import Metrics
from touchline.engines.fleet.acestream import AceStreamClient, Stat, open_acestream
from touchline.engines.model.model import Stream
from touchline.sim.httpserver import HttpRequest, Reply, serve

pytestmark = pytest.mark.anyio

ABSURD = (
    pytest.param(b"9" * 400, id="400 digits"),
    pytest.param(b"NaN", id="NaN"),
    pytest.param(b"1e999", id="1e999"),
    pytest.param(b"-Infinity", id="minus infinity"),
    pytest.param(b"[" * 900 + b"]" * 900, id="900 lists"),
    pytest.param(b'"\\ud800"', id="half a character"),
)
PLACES = {
    "sample": b'{"response":{"peers":%s,"is_live":1}}',
    "livepos": b'{"response":{"livepos":{"pos":%s}}}',
    "content": b'{"result":{"title":%s}}',
    "elsewhere": b'{"response":{"is_live":1},"more":%s}',
}


@dataclass
class OddEngines(FakeEngines):
    """Well for their health checks; asked about streams they say `body`, by the real client."""

    client: AceStreamClient | None = None
    url: str = ""
    body: bytes = b"{}"

    async def stat(self, url: str, *, now: Callable[[], datetime], within_s: float) -> Stat:
        return await self._real().stat(f"{self.url}/ace/stat/a/s", now=now, within_s=within_s)

    async def analyze(self, api_url: str, infohash: str, *, within_s: float) -> dict[str, Any]:
        return await self._real().analyze(self.url, infohash, within_s=within_s)

    async def stop(self, command_url: str, *, within_s: float) -> None:
        await self._real().stop(f"{self.url}/ace/cmd/a/s", within_s=within_s)

    def _real(self) -> AceStreamClient:
        assert self.client is not None
        return self.client


@asynccontextmanager
async def playing(body: bytes) -> AsyncIterator[tuple[HalfRig, Stream, Metrics]]:
    """A half with a stream at an engine that answers with `body`."""

    async def answer(_: HttpRequest) -> Reply:
        return Reply(body=body)

    server = await serve(answer, "127.0.0.1", 0)
    world, metrics = World(), Metrics()
    port = server.sockets[0].getsockname()[1]
    try:
        async with open_acestream(concurrency=4) as client:
            api = OddEngines(world, client=client, url=f"http://127.0.0.1:{port}")
            settings = settings_for(
                scaling={"min_replicas": 1},
                # Seconds, so that a busy machine makes no answer a late one.
                collector={"timeout_s": 10.0, "dead_after": 1000},
            )
            async with opened_half(settings, world=world, engines_api=api, metrics=metrics) as rig:
                (engine,) = await rig.ready(1)
                yield rig, await rig.play(engine, "ch-1"), metrics
    finally:
        server.close()


def collect_errors(metrics: Metrics) -> float:
    found = metrics.registry.get_sample_value("orch_collect_errors_total")
    assert found is not None
    return found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("absurd", ABSURD)
async def test_absurd_answers_are_counted_and_refused_as_declared(
    place: str, absurd: bytes
) -> None:
    async with playing(PLACES[place] % absurd) as (rig, stream, metrics):
        for ask in (rig.front.content.livepos, rig.front.content.details):
            with pytest.raises(Blocked) as refused:
                await ask(stream.id)
            assert refused.value.code == "engine_answer"
        with pytest.raises(Blocked, match="is still playing"):
            await rig.front.streams.stop(stream.id)
        await rig.until(lambda: collect_errors(metrics) >= 2)
        fleet = rig.front.fleet
        assert fleet.stream(stream.id).status == "started"
        assert fleet.latest(stream.id) is None
        assert rig.half.parts.base.supervisor.failing == {}
        assert len(rig.healthy()) == 1


async def test_numbers_past_the_counters_are_clipped_and_do_not_stop_the_collector() -> None:
    body = b'{"response":{"peers":9999999999999999999,"speed_down":-1e300,"downloaded":"1e999"}}'
    async with playing(body) as (rig, stream, metrics):
        await rig.until(lambda: rig.front.fleet.latest(stream.id) is not None)
        await rig.until(lambda: len(rig.front.samples.since(stream.id, None)) >= 2)
        sample = rig.front.samples.since(stream.id, None)[-1]
        assert (sample.peers, sample.downloaded) == ((1 << 31) - 1, None)
        assert sample.speed_down is not None
        assert sample.speed_down < 0
        assert collect_errors(metrics) == 0
        metrics.render()
