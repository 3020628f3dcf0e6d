"""Times of pictures on their way into an encoder rise."""

from __future__ import annotations

import pytest

from touchline.worker.pipeline.rawtimes import RawTimes

MS = 1_000_000


@pytest.mark.parametrize(
    ("given", "placed"),
    [
        ([0, 40, 80], [0, 40, 80]),
        ([0, 40, 40, 120], [0, 40, 41, 120]),
        ([0, 40, None, 120], [0, 40, 80, 120]),
        ([0, 120, 40, 80, 160], [0, 120, 121, 122, 160]),
        ([None, None], [500, 540]),
    ],
    ids=["rising", "doubled", "none", "falling", "none at all"],
)
def test_times_rise_and_the_good_ones_stay(given: list[int | None], placed: list[int]) -> None:
    times = RawTimes(0)
    found = [times.place(None if ms is None else ms * MS, 500 * MS) for ms in given]
    assert found == [ms * MS for ms in placed]


def test_what_was_taken_before_the_start_is_left_out() -> None:
    times = RawTimes(80 * MS)
    assert [times.place(ms * MS, ms * MS) for ms in (0, 40, 79, 80, 120)] == [
        None, None, None, 80 * MS, 120 * MS,
    ]  # fmt: skip


def test_pictures_that_say_for_ever_that_they_are_older_than_the_start_are_encoded() -> None:
    times = RawTimes(80 * MS)
    placed = [times.place(7 * MS, now * MS) for now in range(0, 2000, 40)]
    kept = [each for each in placed if each is not None]
    assert len(kept) >= 30
    assert kept == sorted(set(kept))
    assert kept[0] >= 80 * MS
