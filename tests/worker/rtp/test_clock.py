from __future__ import annotations

import random
from itertools import pairwise

import pytest

from touchline.worker.rtp.clock import CameraClock

STEP_NS = 40_000_000
START_NS = 10**12


def hours(drift: float, hours: float, *, jitter_ns: int = 2_000_000) -> list[tuple[int, int]]:
    """Camera time and what the clock made of it, for a camera that runs slow by `drift`."""
    rng = random.Random(1)
    clock, found = CameraClock(), []
    for n in range(round(hours * 3600 * 5)):
        media = n * 200_000_000
        captured = START_NS + round(media * (1 + drift))
        arrived = captured + round(rng.expovariate(1 / jitter_ns))
        if not clock.anchored:
            clock.anchor(media, arrived)
        clock.arrived(media, arrived)
        found.append((captured, clock.at(media)))
    return found


@pytest.mark.parametrize(
    ("drift", "most_ms"),
    [
        (0, 4),
        (2e-4, 9),
        (-2e-4, 9),
        (1e-3, 35),
        (4e-3, 120),
        (-4e-3, 120),
        (1e-2, 120),
        (2e-2, 150),
        (-2e-2, 150),
    ],
)
def test_drift_is_followed_for_hours_without_a_jump(drift: float, most_ms: float) -> None:
    found = hours(drift, 3)
    off = [(at - captured) / 1e6 for captured, at in found]
    assert max(map(abs, off)) < most_ms
    assert max(map(abs, off[len(off) // 2 :])) < 6
    steps = [b[1] - a[1] for a, b in pairwise(found)]
    assert max(abs(step / 200_000_000 - 1) for step in steps) < 0.0301


def test_without_drift_steps_stay_exact() -> None:
    steps = {b[1] - a[1] for a, b in pairwise(hours(0, 1, jitter_ns=500_000))}
    assert steps == {200_000_000}


def test_hold_ups_do_not_bend_the_line() -> None:
    clock = CameraClock()
    clock.anchor(0, START_NS)
    for n in range(1, 25 * 120):
        arrived = START_NS + n * STEP_NS
        if 20 <= (n * STEP_NS / 1e9) % 30 < 28:  # held back for 8 s in every 30
            arrived = START_NS + (n * STEP_NS // (30 * 10**9)) * 30 * 10**9 + 28 * 10**9
        clock.arrived(n * STEP_NS, arrived)
        assert clock.at(n * STEP_NS) == START_NS + n * STEP_NS
