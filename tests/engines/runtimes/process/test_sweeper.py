"""One look for many who ask."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.process.kernel.procfs import Identity, Remains
from touchline.engines.runtimes.process.sweeper import Sweeper

pytestmark = pytest.mark.anyio


def remains(number: int) -> Remains:
    return Remains(Identity(number, 0, "boot"), b"")


class Looks:
    """Notes who was looked for together. Ends when told to, and fails when told to."""

    def __init__(self) -> None:
        self.looks: list[list[int]] = []
        self.go = anyio.Event()
        self.errors: list[Exception] = []

    async def __call__(self, batch: Sequence[Remains]) -> None:
        self.looks.append([each.leader.pid for each in batch])
        await self.go.wait()
        if self.errors:
            raise self.errors.pop()


async def test_those_who_ask_during_a_look_share_the_next() -> None:
    looks = Looks()
    sweeper = Sweeper(looks)
    done: list[int] = []

    async def sweep(number: int) -> None:
        await sweeper.sweep(remains(number))
        done.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sweep, 0)
        await anyio.wait_all_tasks_blocked()
        for number in (1, 2, 3):
            tasks.start_soon(sweep, number)
        await anyio.wait_all_tasks_blocked()
        assert (looks.looks, done) == ([[0]], [])
        looks.go.set()
    assert looks.looks == [[0], [1, 2, 3]]
    assert sorted(done) == [0, 1, 2, 3]


async def test_a_look_that_fails_fails_one_and_the_others_look_themselves() -> None:
    looks = Looks()
    looks.errors = [RuntimeUnavailable("no more threads")]
    sweeper = Sweeper(looks)
    failed: list[int] = []

    async def sweep(number: int) -> None:
        try:
            await sweeper.sweep(remains(number))
        except RuntimeUnavailable:
            failed.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sweep, 0)
        await anyio.wait_all_tasks_blocked()
        for number in (1, 2):
            tasks.start_soon(sweep, number)
        await anyio.wait_all_tasks_blocked()
        looks.go.set()
    assert failed == [0]
    assert [1, 2] in [sorted(set(look) - {0}) for look in looks.looks[1:]]
