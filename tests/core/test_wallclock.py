from __future__ import annotations

import time
from pathlib import Path

import pytest

from touchline.core.wallclock import (
    BUILT_UNIX_NS,
    boot_id,
    find_unused_name,
    is_synchronised,
    newest_believed,
    read_clocks,
    trust_of,
)

DAY = 86_400 * 10**9
BUILT = BUILT_UNIX_NS


@pytest.mark.parametrize(
    ("unix_ns", "newest_ns", "trust"),
    [
        (BUILT + DAY, None, "plausible"),
        (35 * 10**9, None, "doubtful"),
        (BUILT - 1, None, "doubtful"),
        (BUILT + 50 * 366 * DAY, None, "doubtful"),
        (BUILT + 2 * DAY, BUILT + DAY, "plausible"),
        (BUILT + DAY, BUILT + DAY + 30 * 10**9, "plausible"),  # it was set by a little
        (BUILT + DAY, BUILT + DAY + DAY // 24, "doubtful"),
        (BUILT + 50 * 366 * DAY, BUILT + DAY, "doubtful"),
        (BUILT + 400 * DAY, BUILT + DAY, "doubtful"),
    ],
)
def test_a_clock_that_nobody_keeps_is_plausible_where_it_goes_on(
    unix_ns: int, newest_ns: int | None, trust: str
) -> None:
    assert trust_of(unix_ns, synchronised=False, newest_unix_ns=newest_ns) == trust
    assert trust_of(unix_ns, synchronised=True, newest_unix_ns=newest_ns) == "synchronised"


@pytest.mark.parametrize(
    ("noted", "known", "newest"),
    [
        ([0, 1, 2], None, 2),
        ([2, 1], None, 2),
        ([], 5, 5),
        ([0, 2 * 366, 1], None, 1),
        ([0, 400, 700, 1_060], None, 0),
        ([0, 360, 700, 1_060], None, 1_060),
        ([-20_000, 3], None, 3),
        ([400, 3], 1, 3),
    ],
    ids=[
        "in order", "set back", "none", "a leap and back", "a clock that stays ahead",
        "years that pass", "1970 first", "a leap after what is known",
    ],
)  # fmt: skip
def test_the_newest_date_is_none_that_a_leaping_clock_has_made(
    noted: list[int], known: int | None, newest: int | None
) -> None:
    dates = [BUILT + day * DAY for day in noted]
    known_ns = None if known is None else BUILT + known * DAY
    assert newest_believed(dates, known_ns) == (None if newest is None else BUILT + newest * DAY)


def test_a_reading_holds_what_the_clocks_say() -> None:
    before, found, after = time.monotonic_ns(), read_clocks(), time.monotonic_ns()
    assert before <= found.monotonic_ns <= after
    assert abs(found.unix_ns - time.time_ns()) < 10**9
    assert found.asleep_ns >= 0
    assert len(found.boot_id) == len(boot_id()) == 36


def test_a_time_that_is_not_the_kernel_s_is_not_synchronised() -> None:
    assert not is_synchronised(time.time_ns() - 3600 * 10**9)
    assert is_synchronised(time.time_ns()) == is_synchronised()


def test_a_name_that_the_clock_gives_twice_is_not_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "touchline.db"
    names = []
    for _ in range(3):
        found = find_unused_name(path, "damaged")
        found.touch()
        names.append(found.name)
    assert len(set(names)) == 3
    assert all(name.startswith("touchline.db.damaged-") for name in names)
