from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from touchline.engines.streams.turns import Turns

pytestmark = pytest.mark.anyio


async def test_callers_of_a_key_come_one_after_another_in_their_order() -> None:
    turns, seen = Turns(), list[str]()

    async def caller(name: str) -> None:
        await turns.take("key")
        seen.append(f"{name} in")
        await anyio.lowlevel.checkpoint()
        seen.append(f"{name} out")
        turns.give("key")

    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(caller, name)
    assert seen == ["a in", "a out", "b in", "b out", "c in", "c out"]


async def test_another_key_does_not_wait() -> None:
    turns = Turns()
    await turns.take("a")
    with anyio.fail_after(5):
        await turns.take("b")


async def test_one_that_gives_up_holds_nobody_up() -> None:
    turns = Turns()
    await turns.take("key")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turns.take, "key")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    turns.give("key")
    with anyio.fail_after(5):
        await turns.take("key")
