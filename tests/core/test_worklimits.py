"""Work in turns: some at a time, some wait, the rest is turned away at once."""

from __future__ import annotations

import anyio
import pytest

from support.virtualtime import run_in_virtual_time
from touchline.core.errors import Blocked
from touchline.core.metrics import Metrics
from touchline.core.worklimits import Budget, WorkLimit, WorkLimits

BUDGET = Budget("clips", at_once=2, waiting=3, retry_after_s=5)


def test_so_many_at_a_time_so_many_wait_and_the_rest_comes_again_later() -> None:
    async def work(_: object) -> None:
        limit = WorkLimit(BUDGET)
        most, done, refused = 0, 0, []

        async def piece() -> None:
            nonlocal most, done
            try:
                async with limit.turn():
                    most = max(most, limit.running)
                    await anyio.sleep(1)
                    done += 1
            except Blocked as error:
                refused.append(error)

        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(piece)
        assert (most, done, len(refused)) == (2, 5, 35)
        assert {error.code for error in refused} == {"too_busy"}
        assert {error.eta_s for error in refused} == {5}
        assert (limit.running, limit.waiting, limit.refused) == (0, 0, 35)
        async with limit.turn():
            assert limit.running == 1

    run_in_virtual_time(work)


def test_who_waits_too_long_is_turned_away_and_who_gives_up_frees_the_place() -> None:
    async def work(_: object) -> None:
        limit = WorkLimit(BUDGET, longest_wait_s=10)

        async def hold() -> None:
            async with limit.turn():
                await anyio.sleep(100)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold)
            tasks.start_soon(hold)
            await anyio.sleep(1)
            with pytest.raises(Blocked):
                async with limit.turn():
                    pytest.fail("a turn that was not free")
            with anyio.move_on_after(1):
                async with limit.turn():
                    pytest.fail("a turn that was not free")
            assert (limit.running, limit.waiting) == (2, 0)
            tasks.cancel_scope.cancel()
        assert (limit.running, limit.waiting) == (0, 0)
        async with limit.turn(), limit.turn():
            pass

    run_in_virtual_time(work)


def test_metrics_name_each_kind_from_the_start() -> None:
    metrics = Metrics()
    WorkLimits({"clip": BUDGET}).count_into(metrics)
    text = metrics.render().decode()
    assert 'touchline_work_limit{kind="clip"} 2.0' in text
    assert 'touchline_work_refused_total{kind="clip"} 0.0' in text
