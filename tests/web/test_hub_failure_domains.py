"""No error of what the hub uses ends the hub, another channel or another session."""

from __future__ import annotations

import itertools
from typing import Any

import anyio
import pytest

from support.faulty import ERRORS, Faulty
from support.hubs import CHANNELS, PONG, Signals, rig

pytestmark = pytest.mark.anyio

WITHIN_S = 60.0
LOOKS = 4


@pytest.mark.parametrize("at", range(1, LOOKS + 1))
async def test_a_channel_outlives_every_error_of_its_snapshot(at: int) -> None:
    told: list[str] = []
    calls, error = itertools.count(1), ERRORS[at % len(ERRORS)]()

    def snapshot(name: str) -> Any:
        if next(calls) == at:
            raise error
        return {"of": name}

    def record(kind: str, category: str, message: str, **details: Any) -> None:
        told.append(category)

    async with rig(period_s=0.05, snapshot=snapshot, record=record) as it:
        client = await it.client()
        client.send(type="subscribe", channels=list(CHANNELS))
        with anyio.fail_after(WITHIN_S):
            for _ in range(LOOKS):
                it.news.mark()
                await until_told_of_all(client)
            while "recovered" not in told:
                it.news.mark()
                await anyio.sleep(0.01)
    assert told[0] == "failed"


async def until_told_of_all(client: Any) -> None:
    seen: set[str] = set()
    while "status" not in seen:
        seen.add((await client.receive())["type"])


@pytest.mark.parametrize("at", range(1, 4))
async def test_a_session_outlives_every_error_of_its_signalling(at: int) -> None:
    signalling = Faulty(Signals())
    signalling.arm(at, ERRORS[at % len(ERRORS)]())
    async with rig(signalling=signalling) as it:
        client = await it.client()
        answers = [await client.ask("webrtc_offer", data={}) for _ in range(4)]
        kinds = [answer["type"] for answer in answers]
        assert kinds.count("error") == 1
        assert kinds.count("webrtc_state") == 3
        assert await client.ask("ping") == PONG
        other = await it.client("address 10.0.0.2")
        assert await other.ask("ping") == PONG


@pytest.mark.parametrize("error", ERRORS)
async def test_the_hub_outlives_news_that_cannot_be_told(
    error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig() as it:
        client = await it.client()
        refresh = it.hub.refresh
        failed: list[tuple[str, ...]] = []

        def once(*names: str) -> None:
            if not failed:
                failed.append(names)
                raise error()
            refresh(*names)

        monkeypatch.setattr(it.hub, "refresh", once)
        it.news.mark()
        with anyio.fail_after(WITHIN_S):
            while not failed:
                await anyio.sleep(0.001)
            it.snapshots["status"] = {"of": "afterwards"}
            while True:
                it.news.mark()
                with anyio.move_on_after(0.2):
                    if (await client.receive()).get("data") == {"of": "afterwards"}:
                        break
