from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from touchline.web.websocket.outbox import REPLIES_AHEAD, Outbox

pytestmark = pytest.mark.anyio


async def test_every_reply_is_sent_in_order_and_only_the_newest_status_of_a_channel() -> None:
    outbox = Outbox()
    outbox.reply("r1")
    outbox.status("a", "a1")
    outbox.reply("r2")
    outbox.status("b", "b1")
    outbox.status("a", "a2")
    outbox.forget("b")
    outbox.forget("none")
    assert [await outbox.take() for _ in range(3)] == ["r1", "a2", "r2"]
    assert outbox.replaced == 1
    with anyio.move_on_after(0.01) as scope:
        await outbox.take()
    assert scope.cancelled_caught


async def test_a_sender_that_waits_gets_what_comes() -> None:
    outbox = Outbox()
    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(5):
            tasks.start_soon(_later, outbox)
            assert await outbox.take() == "late"


async def _later(outbox: Outbox) -> None:
    await anyio.lowlevel.checkpoint()
    outbox.status("a", "late")


async def test_reading_stops_while_too_many_replies_wait_and_statuses_do_not_count() -> None:
    outbox = Outbox()
    for number in range(REPLIES_AHEAD):
        outbox.status(str(number), "s")
    with anyio.fail_after(5):
        await outbox.room()
    for _ in range(REPLIES_AHEAD):
        outbox.reply("r")
    with anyio.move_on_after(0.01) as scope:
        await outbox.room()
    assert scope.cancelled_caught
    for _ in range(REPLIES_AHEAD + 1):
        await outbox.take()
    with anyio.fail_after(5):
        await outbox.room()
