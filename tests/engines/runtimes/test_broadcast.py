"""Events handed to many."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
import pytest

from touchline.engines.model.model import RuntimeEvent
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.broadcast import KEPT_UNREAD, Broadcast

pytestmark = pytest.mark.anyio


def event(number: int) -> RuntimeEvent:
    return RuntimeEvent("died", str(number), "one", datetime(2026, 1, 1, tzinfo=UTC))


async def test_whoever_reads_too_slowly_is_told_and_holds_up_nobody() -> None:
    broadcast = Broadcast()
    async with broadcast.watching() as slow, broadcast.watching() as quick:
        for number in range(KEPT_UNREAD + 1):
            broadcast.publish(event(number))
            assert (await anext(aiter(quick))).instance_id == str(number)
        # What was kept is handed out all the same, and then it is said that some is missing.
        for number in range(KEPT_UNREAD):
            assert (await anext(aiter(slow))).instance_id == str(number)
        with pytest.raises(RuntimeUnavailable):
            await anext(aiter(slow))
        broadcast.publish(event(7))
        assert (await anext(aiter(quick))).instance_id == "7"


async def test_nobody_hears_what_happened_before_or_keeps_what_happens_after() -> None:
    broadcast = Broadcast()
    broadcast.publish(event(1))
    async with broadcast.watching() as events:
        broadcast.publish(event(2))
        assert (await anext(aiter(events))).instance_id == "2"
        with anyio.move_on_after(0.01) as scope:
            await anext(aiter(events))
        assert scope.cancelled_caught
    broadcast.publish(event(3))
    assert not broadcast._watchers
