from __future__ import annotations

import json
from typing import Any, cast

import anyio
import pytest

from support.fakesystem import FakeSystem
from touchline.web.websocket.channels import (
    LEAST_GAP_S,
    Channel,
    channels_of,
    engine_channels,
)
from touchline.web.websocket.outbox import Outbox

pytestmark = pytest.mark.anyio


class Listener:
    """A subscriber, and what its outbox holds."""

    def __init__(self) -> None:
        self.outbox = Outbox()

    async def hears(self) -> Any:
        with anyio.fail_after(30.0):
            return json.loads(await self.outbox.take())


async def test_one_snapshot_is_encoded_once_for_all() -> None:
    snapshots: list[int] = []

    def snapshot() -> dict[str, int]:
        snapshots.append(1)
        return {"n": len(snapshots)}

    channel = Channel("status", 3600.0, snapshot, now=lambda: 12.5)
    listeners = [Listener() for _ in range(3)]
    for each in listeners:
        channel.add(each)
    channel.refresh()
    await channel.once()
    assert [await each.hears() for each in listeners] == [
        {"v": 1, "type": "status", "ts": 12.5, "data": {"n": 1}}
    ] * 3


async def test_encoded_json_is_passed_on_as_it_is() -> None:
    channel = Channel("streams", 3600.0, lambda: b'[{"id":"ch-1"}]')
    listener = Listener()
    channel.add(listener)
    channel.refresh()
    await channel.once()
    assert (await listener.hears())["data"] == [{"id": "ch-1"}]


async def test_refreshes_follow_each_other_with_a_gap() -> None:
    channel = Channel("status", 3600.0, lambda: 1, least_gap_s=0.2)
    channel.add(Listener())
    began_s = anyio.current_time()
    for _ in range(3):
        channel.refresh()
        await channel.once()
    assert anyio.current_time() - began_s >= 0.4 - LEAST_GAP_S


async def test_a_snapshot_that_fails_waits_for_its_next_turn() -> None:
    answers: list[Any] = [ZeroDivisionError(), 2]

    def snapshot() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    channel = Channel("status", 3600.0, snapshot)
    listener = Listener()
    channel.add(listener)
    channel.refresh()
    with pytest.raises(ZeroDivisionError):
        await channel.once()
    channel.refresh()
    await channel.once()
    assert (await listener.hears())["data"] == 2


async def test_whoever_leaves_hears_nothing_more_of_it() -> None:
    channel, listener = Channel("status", 3600.0, lambda: 1), Listener()
    channel.add(listener)
    channel.refresh()
    await channel.once()
    channel.remove(listener)
    with anyio.move_on_after(0.05) as waited:
        await listener.outbox.take()
    assert waited.cancelled_caught


async def test_every_channel_has_a_name_of_its_own_and_data_that_is_json(system: Any) -> None:
    capture, engines = system.capture, system.engines
    made = (*channels_of(capture), *engine_channels(engines, cast("Any", system.events)))
    names = [each.name for each in made]
    assert len(set(names)) == len(names)
    for each in made:
        if each.name.startswith("log_"):
            continue  # no log is written to here
        listener = Listener()
        each.add(listener)
        each.refresh()
        await each.once()
        assert (await listener.hears())["type"] == each.name


@pytest.fixture
def system(tmp_path: Any) -> FakeSystem:
    (tmp_path / "recordings").mkdir()
    return FakeSystem.make(tmp_path)
