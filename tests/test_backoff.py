from __future__ import annotations

import pytest

from touchline.backoff import RetryPauses

PAUSES = RetryPauses(first_s=0.5, longest_s=3.0, stable_s=10.0)
AT_ONCE = RetryPauses(first_s=0.5, longest_s=3.0, stable_s=10.0, at_once=True)


@pytest.mark.parametrize(
    ("failures", "pause_s"), [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (4, 3.0), (100_000, 3.0)]
)
def test_each_failure_doubles_the_pause_up_to_the_longest(failures: int, pause_s: float) -> None:
    assert PAUSES.pause_s(failures) == pause_s


@pytest.mark.parametrize(
    ("pauses", "before", "lasted_s", "failures"),
    [
        (PAUSES, 0, 0.1, 1),
        (PAUSES, 4, 0.1, 5),
        (PAUSES, 4, 10.0, 5),
        (PAUSES, 4, 10.1, 1),
        (AT_ONCE, 4, 0.1, 5),
        (AT_ONCE, 4, 10.1, 0),
    ],
)
def test_work_that_lasted_begins_a_new_row(
    pauses: RetryPauses, before: int, lasted_s: float, failures: int
) -> None:
    assert pauses.failures(before, lasted_s) == failures
