"""Only the oldest, unprotected, unused matches are chosen for deletion, and no more than needed."""

from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.retention import StoredMatch, matches_to_delete

GB = 10**9


def ids(chosen: tuple[StoredMatch, ...]) -> list[str]:
    """The names of the chosen matches."""
    return [match.match_id for match in chosen]


def test_the_oldest_go_first_until_the_target_is_reached() -> None:
    matches = [
        StoredMatch("newest", 300.0, 10 * GB),
        StoredMatch("oldest", 100.0, 10 * GB),
        StoredMatch("middle", 200.0, 10 * GB),
    ]
    assert ids(matches_to_delete(matches, free_bytes=GB, target_free_bytes=15 * GB)) == [
        "oldest",
        "middle",
    ]
    assert ids(matches_to_delete(matches, free_bytes=GB, target_free_bytes=11 * GB)) == ["oldest"]


def test_nothing_goes_while_there_is_space() -> None:
    matches = [StoredMatch("only", 100.0, GB)]
    assert matches_to_delete(matches, free_bytes=5 * GB, target_free_bytes=5 * GB) == ()


def test_protected_running_processing_undated_and_empty_matches_stay() -> None:
    matches = [
        StoredMatch("protected", 1.0, GB, protected=True),
        StoredMatch("running", 2.0, GB, running=True),
        StoredMatch("processing", 3.0, GB, processing=True),
        StoredMatch("undated", None, GB),
        StoredMatch("empty", 4.0, 0),
        StoredMatch("free", 5.0, GB),
    ]
    assert ids(matches_to_delete(matches, free_bytes=0, target_free_bytes=100 * GB)) == ["free"]


stored_matches = st.lists(
    st.builds(
        StoredMatch,
        match_id=st.uuids().map(str),
        created_unix_s=st.none() | st.floats(0, 2e9),
        size_bytes=st.integers(0, 100 * GB),
        protected=st.booleans(),
        running=st.booleans(),
        processing=st.booleans(),
    )
)


@given(matches=stored_matches, free=st.integers(0, 100 * GB), target=st.integers(0, 200 * GB))
def test_the_choice_is_safe_needed_and_oldest_first(
    matches: list[StoredMatch], free: int, target: int
) -> None:
    chosen = matches_to_delete(matches, free_bytes=free, target_free_bytes=target)
    assert not any(m.protected or m.running or m.processing for m in chosen)
    ages = [m.created_unix_s for m in chosen]
    assert None not in ages
    assert ages == sorted(ages, key=float)  # type: ignore[arg-type]  # no None, see above
    freed = [m.size_bytes for m in chosen]
    assert all(freed)
    assert not chosen or free + sum(freed[:-1]) < target, "the last one was not needed"
    if free + sum(freed) < target:
        left = [m for m in matches if m not in chosen]
        assert all(
            m.protected
            or m.running
            or m.processing
            or m.created_unix_s is None
            or m.size_bytes == 0
            for m in left
        )
