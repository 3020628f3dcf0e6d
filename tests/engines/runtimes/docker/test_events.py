"""Events of a daemon that says what a test wants, and their end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from support.dockerscript import Script, in_turn, never, refuse, say, stream
from touchline.engines.model.model import RuntimeEvent
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.docker import events as dockerevents
from touchline.engines.runtimes.docker.runtime import DockerRuntime

pytestmark = pytest.mark.anyio


def told(number: int) -> dict[str, Any]:
    actor = {"ID": f"{number:064}", "Attributes": {"name": f"engine-{number}", "a": "b"}}
    return {"Type": "container", "Action": "start", "Actor": actor, "timeNano": number}


async def seen(runtime: DockerRuntime) -> tuple[list[str], str]:
    """The names of the events until they ended, and the reason for that."""
    with anyio.fail_after(5):
        async with runtime.watch() as events:
            return await rest_of(events)


async def rest_of(events: AsyncIterator[RuntimeEvent]) -> tuple[list[str], str]:
    names: list[str] = []
    try:
        async for event in events:
            names += [event.name]
    except RuntimeUnavailable as error:
        return names, error.message
    raise AssertionError("they ended without a reason")


async def test_events_end_with_the_stream(script: Script, runtime: DockerRuntime) -> None:
    ended = anyio.Event()
    ended.set()
    script.answers["GET /events"] = stream(told(1), told(2), until=ended)
    assert await seen(runtime) == (["engine-1", "engine-2"], "Docker's events ended")


async def test_events_end_when_the_daemon_is_silent_and_does_not_answer(
    script: Script, runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerevents, "PING_EVERY_S", 0.05)
    script.answers |= {
        "GET /events": stream(told(1), until=anyio.Event()),
        "GET /_ping": in_turn(say(text="OK"), never),
    }
    names, reason = await seen(runtime)
    assert names == ["engine-1"]
    assert "did not respond" in reason


async def test_events_end_where_more_come_than_are_read(
    script: Script, runtime: DockerRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dockerevents, "KEPT_UNREAD", 3)
    ended = anyio.Event()
    script.answers["GET /events"] = stream(*(told(n) for n in range(10)), until=ended)
    async with runtime.watch() as events:
        # Nobody reads until the daemon has said everything.
        await anyio.sleep(0.1)
        names, reason = await rest_of(events)
    assert names == ["engine-0", "engine-1", "engine-2"]
    assert "were not read" in reason
    ended.set()


@pytest.mark.parametrize("line", [{"Action": "start"}, {"Action": "start", "Actor": {}}])
async def test_an_event_without_sense_ends_them(
    script: Script, runtime: DockerRuntime, line: dict[str, Any]
) -> None:
    script.answers["GET /events"] = stream(line, until=anyio.Event())
    names, reason = await seen(runtime)
    assert names == []
    assert "is invalid" in reason


async def test_events_that_are_refused_are_an_unavailable_runtime(
    script: Script, runtime: DockerRuntime
) -> None:
    script.answers["GET /events"] = refuse(500, "no")
    with pytest.raises(RuntimeUnavailable):
        async with runtime.watch():
            pytest.fail("it was entered")
