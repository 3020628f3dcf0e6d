"""A time limit that a pause of our own does not use up."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest

from support.virtualtime import run_in_virtual_time
from touchline.core import patience
from touchline.core.patience import Countdown


@pytest.mark.parametrize(
    ("limit_s", "late_by_s", "looks"),
    [
        pytest.param(1.0, [], 4, id="on time: a limit of four slices takes four looks"),
        pytest.param(0.1, [], 1, id="shorter than a slice: one look, at its end"),
        pytest.param(0.0, [], 1, id="nothing is left from the start"),
        pytest.param(1.0, [30.0], 4, id="a pause of half a minute counts a slice"),
        pytest.param(1.0, [30.0, 30.0, 30.0], 4, id="and so does each of several"),
        pytest.param(1.0, [0, 0, 0, 30.0], 5, id="a pause at the end is followed by another slice"),
        pytest.param(0.1, [4.0], 2, id="also where the limit is shorter than one"),
        pytest.param(0.5, [0, *([1.0] * 50)], 10, id="who is always late does not wait for ever"),
    ],
)
def test_a_limit_counts_slices(limit_s: float, late_by_s: list[float], looks: int) -> None:
    now_s, count = 100.0, 0
    countdown = Countdown(limit_s, now_s)
    late = iter([*late_by_s, *([0.0] * 100)])
    while True:
        now_s += countdown.next_s() + next(late)
        count += 1
        if countdown.ran_out(now_s):
            break
    assert count == looks


def test_the_block_is_left_when_the_time_is_over() -> None:
    async def work(_: object) -> None:
        began_s = asyncio.get_running_loop().time()
        with patience.move_on_after(2.6) as limit:
            await anyio.sleep(60)
        assert limit.ran_out
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(2.6)
        with pytest.raises(TimeoutError), patience.fail_after(1):
            await anyio.sleep(60)
        with patience.fail_after(1):
            await anyio.sleep(0.5)

    run_in_virtual_time(work)


@pytest.mark.anyio
async def test_an_answer_that_came_during_our_own_pause_is_read() -> None:
    """What 0.1.0 did: the timer ran before what had arrived meanwhile was read."""
    event = anyio.Event()
    loop = asyncio.get_running_loop()

    def stand_still() -> None:
        time.sleep(0.8)
        # Read only in a later round of the loop, as after SIGCONT.
        loop.call_soon(lambda: loop.call_soon(event.set))

    loop.call_later(0.05, stand_still)
    with patience.fail_after(0.4):
        await event.wait()


@pytest.mark.anyio
async def test_what_cancels_the_caller_is_no_time_out() -> None:
    with anyio.CancelScope() as outer:
        with patience.fail_after(10):
            outer.cancel()
            await anyio.sleep(1)
    assert outer.cancelled_caught
