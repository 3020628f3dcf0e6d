from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.studio.pictures.pairing import Pairing, Shot, pair_by_time

PERIOD_NS = 33_333_333
HALF_NS = PERIOD_NS // 2 + 1
SECOND_NS = 1_000_000_000


def shots(times: Iterable[int]) -> Iterator[Shot[int]]:
    return (Shot(at_ns, at_ns) for at_ns in times)


def paired(first: Iterable[int], second: Iterable[int]) -> list[Pairing[int]]:
    return list(pair_by_time(shots(first), shots(second), period_ns=PERIOD_NS))


def camera(seconds: float, *, ppm: float = 0.0, phase_ns: int = 0) -> list[int]:
    step = PERIOD_NS * (1 + ppm * 1e-6)
    return [phase_ns + round(n * step) for n in range(int(seconds * SECOND_NS / step))]


def test_ninety_minutes_with_drift_drops_and_an_outage_are_never_half_a_frame_off() -> None:
    rng = random.Random(1)
    first = [t for t in camera(5400) if rng.random() > 0.01]
    second = [t for t in camera(5400, ppm=200, phase_ns=4_000_000) if rng.random() > 0.01]
    outage = range(1000 * SECOND_NS, 1010 * SECOND_NS)
    second = [t for t in second if t not in outage]
    result = paired(first, second)
    assert max(pairing.error_ns for pairing in result) <= 16_700_000
    alone = [p for p in result if p.cam1 is None]
    assert 9.5 * 30 < len(alone) < 10.2 * 30
    assert all(outage.start - PERIOD_NS <= p.at_ns <= outage.stop + PERIOD_NS for p in alone)
    # Two of a hundred instants lack a picture of one camera; all others are there.
    assert len(result) > 5400 * 30 * 0.975


def test_two_in_step_are_paired_one_to_one() -> None:
    times = camera(10)
    assert [(p.cam0, p.cam1) for p in paired(times, times)] == [
        (Shot(t, t), Shot(t, t)) for t in times
    ]


def test_frames_that_jitter_around_half_a_period_are_all_shown() -> None:
    rng = random.Random(2)
    first = camera(20)
    second = [t + PERIOD_NS // 2 + rng.randrange(-800_000, 800_000) for t in first]
    result = paired(first, second)
    assert len(result) >= len(first) - 1
    # In front of the first and behind the last one there is nothing to fit.
    assert sum(not (p.cam0 and p.cam1) for p in result) <= 2


def test_a_lost_frame_is_bridged_and_no_wrong_one_taken() -> None:
    first, second = camera(1), camera(1, phase_ns=1_000_000)
    del second[10]
    result = paired(first, second)
    assert len(result) == len(first) - 1
    assert first[10] not in [p.at_ns for p in result]


@pytest.mark.parametrize("which", [0, 1])
def test_a_camera_that_starts_later_and_ends_earlier_leaves_the_other_alone(which: int) -> None:
    long = camera(10)
    short = [t for t in long if 3 * SECOND_NS <= t <= 7 * SECOND_NS]
    result = paired(*((short, long) if which == 0 else (long, short)))
    assert [p.at_ns for p in result] == long
    alone = [p for p in result if p.cam0 is None or p.cam1 is None]
    assert len(alone) == len(long) - len(short)


def test_a_camera_that_never_filmed_leaves_the_other_alone() -> None:
    times = camera(1)
    assert [p.at_ns for p in paired([], times)] == times
    assert [p.at_ns for p in paired(times, [])] == times
    assert paired([], []) == []


def test_when_the_first_camera_breaks_off_the_second_one_goes_on() -> None:
    first = [t for t in camera(10) if not 4 * SECOND_NS < t < 6 * SECOND_NS]
    result = paired(first, camera(10, phase_ns=3_000_000))
    times = [p.at_ns for p in result]
    assert times == sorted(times)
    assert max(b - a for a, b in pairwise(times)) < 2.2 * PERIOD_NS
    assert 1.9 * 30 < sum(p.cam0 is None for p in result) < 2.1 * 30


@given(
    st.lists(st.integers(0, 400), unique=True, max_size=60),
    st.lists(st.integers(0, 400), unique=True, max_size=60),
    st.integers(0, PERIOD_NS),
)
def test_whatever_is_lost_time_rises_and_no_pair_is_far_apart(
    first: list[int], second: list[int], phase_ns: int
) -> None:
    result = paired(
        [n * PERIOD_NS for n in sorted(first)], [n * PERIOD_NS + phase_ns for n in sorted(second)]
    )
    times = [p.at_ns for p in result]
    assert times == sorted(set(times))
    assert all(p.error_ns <= HALF_NS for p in result)
    assert all(p.cam0 is not None or p.cam1 is not None for p in result)
