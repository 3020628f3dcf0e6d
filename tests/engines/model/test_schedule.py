from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import anyio
import pytest

from support.virtualtime import run_in_virtual_time
from touchline.engines.model.schedule import LONGEST_RETRY_S, RETRY_S, Schedule


class Rig:
    """A schedule that runs, what it did when, and what failed first in a row."""

    def __init__(self, work: Callable[[str], Awaitable[float]], limit: int) -> None:
        self.done: list[tuple[str, float]] = []
        self.failed: list[str] = []
        self._work = work
        self.schedule = Schedule("probes", self._noted, limit=limit, on_failure=self._on_failure)

    async def _noted(self, key: str) -> float:
        self.done.append((key, anyio.current_time()))
        return await self._work(key)

    def _on_failure(self, name: str, key: str, error: Exception) -> None:
        assert name == "probes"
        assert str(error)
        self.failed.append(key)

    def times_of(self, key: str) -> list[float]:
        return [at_s for name, at_s in self.done if name == key]


@asynccontextmanager
async def running(work: Callable[[str], Awaitable[float]], *, limit: int = 10) -> Any:
    rig = Rig(work, limit)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.schedule.run)
        yield rig
        tasks.cancel_scope.cancel()


async def each_5_s(_: str) -> float:
    return 5.0


def test_each_key_is_worked_on_at_its_own_time() -> None:
    async def work(_: object) -> None:
        async with running(each_5_s) as rig:
            rig.schedule.put("a", 1.0)
            rig.schedule.put("b", 3.0)
            await anyio.sleep(12.0)
            assert rig.times_of("a") == pytest.approx([1.0, 6.0, 11.0])
            assert rig.times_of("b") == pytest.approx([3.0, 8.0])

    run_in_virtual_time(work)


def test_a_key_can_be_moved_and_dropped() -> None:
    async def work(_: object) -> None:
        async with running(each_5_s) as rig:
            rig.schedule.put("a", 100.0)
            rig.schedule.put("b", 4.0)
            await anyio.sleep(1.0)
            rig.schedule.put("a", 1.0)
            rig.schedule.drop("b")
            assert "b" not in rig.schedule
            assert (len(rig.schedule), list(rig.schedule.keys)) == (1, ["a"])
            await anyio.sleep(8.0)
            assert rig.times_of("a") == pytest.approx([2.0, 7.0])
            assert rig.times_of("b") == []

    run_in_virtual_time(work)


def test_a_bounded_number_is_worked_on_at_once_and_no_key_twice() -> None:
    now, most = set[str](), 0

    async def slow(key: str) -> float:
        nonlocal most
        assert key not in now
        now.add(key)
        most = max(most, len(now))
        await anyio.sleep(2.0)
        now.remove(key)
        return 100.0

    async def work(_: object) -> None:
        async with running(slow, limit=3) as rig:
            for number in range(7):
                rig.schedule.put(f"e{number}", 0.0)
            await anyio.sleep(1.0)
            rig.schedule.put("e0", 0.0)
            await anyio.sleep(8.0)
            assert len(rig.times_of("e0")) == 2
            assert {key for key, _ in rig.done} == {f"e{number}" for number in range(7)}
        assert most == 3

    run_in_virtual_time(work)


def test_one_that_fails_is_tried_again_later_each_time() -> None:
    async def fails(key: str) -> float:
        if key == "bad":
            raise ValueError("no")
        return 5.0

    async def work(_: object) -> None:
        async with running(fails) as rig:
            rig.schedule.put("bad", 0.0)
            rig.schedule.put("good", 0.0)
            await anyio.sleep(300.0)
            times = rig.times_of("bad")
            pauses = [b - a for a, b in pairwise(times)]
            assert pauses[:5] == pytest.approx([RETRY_S, 10.0, 20.0, 40.0, LONGEST_RETRY_S])
            assert rig.failed == ["bad"]
            assert len(rig.times_of("good")) == 60

    run_in_virtual_time(work)


def test_each_row_of_failures_is_told_once() -> None:
    answers: list[float | None] = [None, None, 1.0, None, 1.0]

    async def flaky(_: str) -> float:
        answer = answers.pop(0) if answers else 1000.0
        if answer is None:
            raise ValueError("no")
        return answer

    async def work(_: object) -> None:
        async with running(flaky) as rig:
            rig.schedule.put("a", 0.0)
            await anyio.sleep(100.0)
            assert rig.failed == ["a", "a"]

    run_in_virtual_time(work)


def test_one_that_is_dropped_at_work_is_not_put_back() -> None:
    async def slow(_: str) -> float:
        await anyio.sleep(2.0)
        return 1.0

    async def work(_: object) -> None:
        async with running(slow) as rig:
            rig.schedule.put("a", 0.0)
            await anyio.sleep(1.0)
            rig.schedule.drop("a")
            await anyio.sleep(20.0)
            assert len(rig.times_of("a")) == 1
            assert len(rig.schedule) == 0

    run_in_virtual_time(work)
