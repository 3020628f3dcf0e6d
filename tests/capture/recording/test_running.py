from __future__ import annotations

from typing import cast

import anyio
import anyio.lowlevel
import pytest

from touchline.capture.recording.answers import StartReport
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.running import PendingReport, Running
from touchline.core.errors import Failed

pytestmark = pytest.mark.anyio

FIRST = StartReport(success=False, message="first")
SECOND = StartReport(success=False, message="second")


async def test_everybody_who_waits_gets_the_first_value() -> None:
    answer, found = PendingReport[StartReport](), list[StartReport]()

    async def ask() -> None:
        found.append(await answer.get())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        assert found == []
        answer.set(FIRST)
        answer.set(SECOND)
        answer.set(Failed("too late", code="late"))
    assert found == [FIRST] * 3
    assert await answer.get() is FIRST


async def test_an_error_is_raised_for_each_who_asks() -> None:
    answer = PendingReport[StartReport]()
    answer.set(Failed("no camera", code="no_camera"))
    await answer.settled()
    for _ in range(2):
        with pytest.raises(Failed) as raised:
            await answer.get()
        assert raised.value.code == "no_camera"


async def test_a_recording_begins_with_nothing_settled() -> None:
    running = Running(cast("Match", object()), require_all=True)
    assert running.require_all
    assert not running.stop_asked.is_set()
    assert not running.ended.is_set()
    for answer in (running.started, running.stopped):
        with anyio.move_on_after(0) as scope:
            await answer.settled()
        assert scope.cancelled_caught
