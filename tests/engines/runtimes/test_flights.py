"""Work that is done once, however many ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.flights import Flights

pytestmark = pytest.mark.anyio


class Work:
    """Counts how often it is begun, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.go = anyio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.begun += 1
        await self.go.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
async def flights() -> AsyncIterator[Flights]:
    made = Flights()
    yield made
    await made.close()


async def test_those_who_ask_at_once_wait_for_the_same_work(flights: Flights) -> None:
    work = Work()
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(flights.join, "key", work)
        await anyio.wait_all_tasks_blocked()
        work.go.set()
    assert (work.begun, work.ended) == (1, 1)
    await flights.join("key", work)
    assert work.begun == 2


async def test_another_key_is_another_work(flights: Flights) -> None:
    one, other = Work(), Work()
    one.go.set()
    flights.launch("other", other)
    await flights.join("one", one)
    assert (one.ended, other.ended) == (1, 0)


async def test_an_error_reaches_everybody_who_waits(flights: Flights) -> None:
    work = Work()
    work.error = ValueError("broken")
    caught = []

    async def ask() -> None:
        with pytest.raises(ValueError, match="broken") as info:
            await flights.join("key", work)
        caught.append(info.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        work.go.set()
    assert caught == [work.error, work.error]


async def test_the_work_goes_on_when_the_one_who_asked_leaves(flights: Flights) -> None:
    work = Work()
    with anyio.move_on_after(0.01):
        await flights.join("key", work)
    work.go.set()
    await flights.join("key", work)
    assert (work.begun, work.ended) == (1, 1)


async def test_closing_ends_the_work_and_tells_those_who_wait() -> None:
    flights, work = Flights(), Work()
    told = []

    async def ask() -> None:
        try:
            await flights.join("key", work)
        except RuntimeUnavailable as error:
            told.append(error.code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        await flights.close()
    assert told == ["runtime_unavailable"]
    assert work.ended == 0
