from __future__ import annotations

import json

import pytest

from support.fakeruntime import World
from support.half import HalfRig, idle_half, settings_for
from touchline.engines.fleet.acestream import EngineUnreachable
from touchline.engines.model.labels import HOST_HTTP_PORT, HTTP_PORT
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.streams.collector import LOST, STALE, Collector

pytestmark = pytest.mark.anyio


@pytest.fixture
async def rig() -> HalfRig:
    """A stream `ch-1` that plays on an engine; nothing happens by itself."""
    world = World()
    rig = idle_half(settings_for(collector={"interval_s": 10.0, "dead_after": 3}), world=world)
    spec = EngineSpec(
        "engine-1",
        "engine:1",
        labels={HTTP_PORT: "40000", HOST_HTTP_PORT: "19100"},
        ports=(PortMapping(40000, 19100),),
    )
    await rig.runtime.start(spec, within_s=1.0)
    await rig.half.runtime_sync.list_once()
    await rig.play(rig.front.fleet.engines()[0], "ch-1")
    return rig


def collector_of(rig: HalfRig) -> Collector:
    return rig.half.parts.monitoring.collector


async def test_a_stream_is_measured_again_after_about_the_interval(rig: HalfRig) -> None:
    in_s = await collector_of(rig)._poll("ch-1")
    assert 9.5 <= in_s <= 10.5
    (shown,) = json.loads(rig.front.fleet.streams_body(lambda _: True, offset=0, limit=9))
    assert (shown["peers"], shown["speed_down"]) == (3, 250)


async def test_a_session_that_the_engine_does_not_know_is_an_ended_stream(rig: HalfRig) -> None:
    rig.engines_api.sessions.clear()
    await collector_of(rig)._poll("ch-1")
    stream = rig.front.fleet.stream("ch-1")
    assert (stream.status, stream.end_reason) == ("ended", STALE)


async def test_an_engine_that_stays_silent_loses_its_streams_after_several_tries(
    rig: HalfRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(url: str, within_s: float) -> str:
        raise EngineUnreachable(f"{url} did not answer within {within_s} s")

    monkeypatch.setattr(rig.engines_api, "_answering", silent)
    collector = collector_of(rig)
    for _ in range(2):
        await collector._poll("ch-1")
    assert rig.front.fleet.stream("ch-1").status == "started"
    await collector._poll("ch-1")
    assert rig.front.fleet.stream("ch-1").end_reason == LOST


async def test_while_the_runtime_is_away_no_silent_engine_loses_a_stream(
    rig: HalfRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(url: str, within_s: float) -> str:
        raise EngineUnreachable(f"{url} did not answer within {within_s} s")

    monkeypatch.setattr(rig.engines_api, "_answering", silent)
    rig.front.fleet.freshness.lost(0.0, "as ordered")
    for _ in range(10):
        await collector_of(rig)._poll("ch-1")
    assert rig.front.fleet.stream("ch-1").status == "started"


async def test_ended_streams_are_polled_no_more_and_new_ones_soon(rig: HalfRig) -> None:
    collector = collector_of(rig)
    collector.follow()
    assert set(collector._schedule.keys) == {"ch-1"}
    await rig.front.streams.ended(container_id=None, stream_id="ch-1", reason="over")
    collector.follow()
    assert set(collector._schedule.keys) == set()
