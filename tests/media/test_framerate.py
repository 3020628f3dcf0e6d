from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from touchline.media.framerate import LEAST_NS, MOST_NS, USUAL_NS, FrameRate

MS = 1_000_000


def learned(
    times_ns: Sequence[int],
    *,
    arrivals_ns: Sequence[int] | None = None,
    step_ns: int | None = None,
    stated_ns: int | None = None,
) -> int:
    rate = FrameRate()
    for at_ns, arrived_ns in zip(times_ns, arrivals_ns or times_ns, strict=True):
        rate.see(at_ns, arrived_ns, step_ns=step_ns, stated_ns=stated_ns)
    return rate.interval_ns


def each(interval_ns: int, count: int = 17) -> list[int]:
    return [n * interval_ns for n in range(count)]


def test_before_anything_is_known_it_is_the_usual_one() -> None:
    assert FrameRate().interval_ns == USUAL_NS
    assert learned([0]) == USUAL_NS


@pytest.mark.parametrize("interval_ns", [8 * MS, 20 * MS, 33_366_667, 40 * MS, 1000 * MS])
def test_it_is_learned_from_the_times_of_the_pictures(interval_ns: int) -> None:
    assert learned(each(interval_ns)) == interval_ns


def test_what_the_stream_states_counts_until_enough_pictures_were_seen() -> None:
    assert learned(each(20 * MS, 8), stated_ns=33 * MS) == 33 * MS
    assert learned(each(20 * MS, 9), stated_ns=33 * MS) == 20 * MS


@pytest.mark.parametrize(
    ("step_ns", "interval_ns"),
    [(20 * MS, 20 * MS), (LEAST_NS - 1, USUAL_NS), (MOST_NS + 1, USUAL_NS), (None, USUAL_NS)],
)
def test_the_first_step_counts_where_it_can_be_one(step_ns: int | None, interval_ns: int) -> None:
    assert learned(each(20 * MS, 2), step_ns=step_ns) == interval_ns


def test_reordered_pictures_and_single_gaps_change_nothing() -> None:
    times = each(40 * MS)
    times[3:6] = [times[5], times[3], times[4]]
    assert learned(times) == 40 * MS
    late = [at + (500 * MS if n > 8 else 0) for n, at in enumerate(each(40 * MS))]
    assert learned(late) == 40 * MS


def test_jitter_is_averaged_out() -> None:
    rng = random.Random(7)
    times = [at + rng.randrange(-3 * MS, 3 * MS) for at in each(40 * MS)]
    assert learned(times) == pytest.approx(40 * MS, abs=4 * MS)


def test_pictures_that_share_a_time_are_counted_each() -> None:
    pairs = [at for at in each(40 * MS, 9) for _ in range(2)][:17]
    assert learned(pairs) == 20 * MS


def test_arrivals_count_where_times_stand_still() -> None:
    assert learned([5] * 17, arrivals_ns=each(25 * MS)) == 25 * MS
    assert learned([5] * 17, arrivals_ns=each(25 * MS), stated_ns=50 * MS) == 50 * MS


@pytest.mark.parametrize("interval_ns", [10, 5000 * MS])
def test_what_can_be_no_rate_changes_nothing(interval_ns: int) -> None:
    assert learned(each(interval_ns)) == USUAL_NS


def test_times_after_a_break_do_not_continue_those_before() -> None:
    rate = FrameRate()
    for at_ns in each(20 * MS):
        rate.see(at_ns, at_ns, step_ns=None, stated_ns=None)
    rate.forget()
    for at_ns in each(50 * MS, 8):
        rate.see(at_ns, at_ns, step_ns=None, stated_ns=None)
    assert rate.interval_ns == 20 * MS
    rate.see(400 * MS, 400 * MS, step_ns=None, stated_ns=None)
    assert rate.interval_ns == 50 * MS
