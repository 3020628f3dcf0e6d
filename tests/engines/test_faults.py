"""Many lives in which everything goes wrong, each checked for what must always hold.

`scripts/test` lives the first 50, `scripts/test --all` two thousand. A life that fails prints its
seed: `EXPLORE_SEEDS=1234 pytest tests/engines/test_faults.py` lives it again, and
`EXPLORE_SEEDS=0-50000` looks further than a test run does.
"""

from __future__ import annotations

import os

import pytest

from support.explorer import Life

SEEDS = 2000
CHUNK = 50
SOON = 50
"""So many are lived in every test run."""


def seeds() -> list[int]:
    given = os.environ.get("EXPLORE_SEEDS", f"0-{SEEDS - 1}")
    first, _, last = given.partition("-")
    return list(range(int(first), int(last or first) + 1))


ALL = seeds()
GIVEN = "EXPLORE_SEEDS" in os.environ
CHUNKS = [
    pytest.param(
        ALL[at : at + CHUNK],
        id=f"{ALL[at]}-{ALL[min(at + CHUNK, len(ALL)) - 1]}",
        marks=() if GIVEN or at < SOON else pytest.mark.slow,
    )
    for at in range(0, len(ALL), CHUNK)
]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_whatever_goes_wrong_the_fleet_comes_right(chunk: list[int]) -> None:
    for seed in chunk:
        life = Life(seed)
        violations = life.run()
        assert not violations, f"seed {seed}: {violations}\nEXPLORE_SEEDS={seed}\n" + "\n".join(
            life.log
        )


def test_the_same_seed_is_the_same_life() -> None:
    one, other = Life(7), Life(7)
    one.run()
    other.run()
    assert one.log == other.log
