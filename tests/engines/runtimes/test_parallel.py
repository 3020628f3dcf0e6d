"""How many starts run at a time, and what that is learnt from."""

from __future__ import annotations

import anyio
import pytest

from touchline.engines.model.runtime import (
    NameInUse,
    RuntimeUnavailable,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.parallel import LEAST, StartPace, StartQueue


def limits(pace: StartPace, rates: list[float]) -> list[int]:
    """The limit after each window of starts at these rates, with others waiting all the time."""
    at_s, seen = 0.0, []
    pace.succeeded(at_s, others_wait=True)
    for rate in rates:
        for _ in range(pace.limit):
            at_s += 1 / rate
            pace.succeeded(at_s, others_wait=True)
        seen.append(pace.limit)
    return seen


def troubled(pace: StartPace) -> StartPace:
    pace.record_trouble()
    return pace


@pytest.mark.parametrize(("most", "first"), [(64, 32), (16, 8), (3, LEAST), (1, 1)])
def test_it_begins_in_the_middle(most: int, first: int) -> None:
    assert StartPace(most=most).limit == first


def test_it_doubles_at_first() -> None:
    assert limits(StartPace(most=16), [6.0]) == [16]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        pytest.param([5, 6, 7, 8], [5, 6, 7, 8], id="it grows while the rate does"),
        pytest.param([5, 5.05, 4.9], [5, 5, 5], id="about the same changes nothing"),
        pytest.param([5, 3, 3, 4], [5, 4, 4, 5], id="it shrinks when the rate falls much"),
    ],
)
def test_after_trouble_it_goes_step_by_step(rates: list[float], expected: list[int]) -> None:
    assert limits(troubled(StartPace(most=16)), rates) == expected


def test_trouble_halves_it() -> None:
    assert troubled(StartPace(most=16)).limit == 4


def test_it_never_leaves_its_bounds() -> None:
    assert max(limits(StartPace(most=16), [n + 1.0 for n in range(30)])) == 16
    pace = StartPace(most=16)
    for _ in range(10):
        pace.record_trouble()
    assert pace.limit == LEAST
    assert min(limits(pace, [10.0 / 2**n for n in range(10)])) >= LEAST


def test_starts_that_nobody_waits_behind_teach_nothing() -> None:
    pace = StartPace(most=16)
    for number in range(100):
        pace.succeeded(float(number), others_wait=False)
    assert pace.limit == 8


@pytest.mark.anyio
async def test_no_more_than_the_limit_run_at_a_time_and_all_have_their_turn() -> None:
    turns = StartQueue(most=4)
    running, seen = 0, []

    async def start() -> None:
        nonlocal running
        async with turns.turn():
            running += 1
            seen.append((running, turns.limit))
            await anyio.lowlevel.checkpoint()
            running -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(40):
            tasks.start_soon(start)
    assert len(seen) == 40
    assert all(at_a_time <= limit for at_a_time, limit in seen)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StartTimeout("slow"), 4),
        (RuntimeUnavailable("away"), 4),
        (StartFailed("runc failed", status=500), 4),
        (StartFailed("no such program", status=400), 8),
        (StartFailed("it ended at once"), 8),
        (NameInUse("taken"), 8),
    ],
)
async def test_what_the_spec_is_to_blame_for_is_no_trouble(error: Exception, expected: int) -> None:
    turns = StartQueue(most=16)
    with pytest.raises(type(error)):
        async with turns.turn():
            raise error
    assert turns.limit == expected
