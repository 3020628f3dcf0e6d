from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.library.stretches import (
    MOST_MATCHES,
    Stretch,
    length,
    matches_between,
    subtract,
    union,
)

stretches = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda t: Stretch(t[0], t[0] + t[1]))
)


def seconds(parts: list[Stretch]) -> set[int]:
    return {second for part in parts for second in range(part.start_ns, part.end_ns)}


@given(stretches)
def test_a_union_covers_the_same_time_without_touching_itself(parts: list[Stretch]) -> None:
    merged = union(parts)
    assert seconds(merged) == seconds(parts)
    assert length(merged) == len(seconds(parts))
    assert all(a.end_ns < b.start_ns for a, b in pairwise(merged))


@given(st.integers(0, 40), st.integers(1, 40), stretches)
def test_what_is_subtracted_is_gone_and_the_rest_stays(
    start: int, size: int, parts: list[Stretch]
) -> None:
    whole = Stretch(start, start + size)
    left = subtract(whole, union(parts))
    assert seconds(left) == seconds([whole]) - seconds(parts)
    assert all(part.end_ns > part.start_ns for part in left)


def test_matches_of_a_time_are_those_that_overlap_it_by_their_start() -> None:
    listing = {
        "running": {"state": "recording", "started_at": 900.0, "duration_s": 20.0},
        "before": {"state": "finished", "started_at": 100.0, "duration_s": 99.0},
        "across": {"state": "finished", "started_at": 150.0, "duration_s": 100.0},
        "without an end": {"state": "interrupted", "started_at": 300.0, "duration_s": None},
        "after": {"state": "finished", "started_at": 1001.0, "duration_s": 1.0},
        "foreign": {},
    }
    encoded = json.dumps({"recordings": listing}).encode()
    assert matches_between(encoded, 200.0, 1000.0) == [
        {"match_id": "across", "start": 150.0, "end": 250.0},
        {"match_id": "without an end", "start": 300.0, "end": 300.0},
        {"match_id": "running", "start": 900.0, "end": None},
    ]


def test_of_many_matches_the_newest_are_told() -> None:
    listing = {
        str(n): {"state": "finished", "started_at": float(n), "duration_s": 0.5}
        for n in range(2 * MOST_MATCHES)
    }
    encoded = json.dumps({"recordings": listing}).encode()
    found = matches_between(encoded, 0.0, 1e9)
    assert (len(found), found[-1]["start"]) == (MOST_MATCHES, 2.0 * MOST_MATCHES - 1)
