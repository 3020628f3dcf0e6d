from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.library.stretches import Stretch, length, subtract, union

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
