"""Only the oldest, unprotected, unused matches are chosen for deletion, and no more than needed."""

from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.library.trash.retention import StoredMatch, matches_to_delete

GB = 10**9


def stored(
    match_id: str,
    created_unix_s: float | None,
    size_bytes: int = 10 * GB,
    *,
    number: int | None = None,
    protected: bool = False,
    running: bool = False,
    processing: bool = False,
) -> StoredMatch:
    """A match of version 0.1.0 that may be deleted, unless something else is said."""
    return StoredMatch(match_id, created_unix_s, size_bytes, number, protected, running, processing)


def ids(chosen: tuple[StoredMatch, ...]) -> list[str]:
    """The names of the chosen matches."""
    return [match.match_id for match in chosen]


def test_the_oldest_go_first_until_the_target_is_reached() -> None:
    matches = [
        stored("newest", 300.0, 10 * GB),
        stored("oldest", 100.0, 10 * GB),
        stored("middle", 200.0, 10 * GB),
    ]
    assert ids(matches_to_delete(matches, free_bytes=GB, target_free_bytes=15 * GB)) == [
        "oldest",
        "middle",
    ]
    assert ids(matches_to_delete(matches, free_bytes=GB, target_free_bytes=11 * GB)) == ["oldest"]


def test_nothing_goes_while_there_is_space() -> None:
    matches = [stored("only", 100.0, GB)]
    assert matches_to_delete(matches, free_bytes=5 * GB, target_free_bytes=5 * GB) == ()


def test_protected_running_processing_undated_and_empty_matches_stay() -> None:
    matches = [
        stored("protected", 1.0, GB, protected=True),
        stored("running", 2.0, GB, running=True),
        stored("processing", 3.0, GB, processing=True),
        stored("undated", None, GB),
        stored("empty", 4.0, 0),
        stored("free", 5.0, GB),
    ]
    assert ids(matches_to_delete(matches, free_bytes=0, target_free_bytes=100 * GB)) == ["free"]


stored_matches = st.lists(
    st.builds(
        StoredMatch,
        match_id=st.uuids().map(str),
        number=st.none() | st.integers(1, 50),
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
    assert None not in [m.created_unix_s for m in chosen]
    numbers = [m.number or 0 for m in chosen]
    assert numbers == sorted(numbers)
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


def test_the_library_s_count_says_which_is_older_whatever_the_dates_say() -> None:
    matches = [
        stored("third", 35.0, number=3),  # its clock stood at 1970
        stored("first", 1.9e9, number=1),
        stored("second", 3.4e9, number=2),  # and this one's 50 years ahead
    ]
    chosen = matches_to_delete(matches, free_bytes=0, target_free_bytes=100 * GB)
    assert ids(chosen) == ["first", "second", "third"]


def test_matches_of_before_the_count_are_older_and_a_doubtful_date_is_not_the_oldest() -> None:
    matches = [
        stored("counted", 35.0, number=1),
        stored("1970", 35.0),
        stored("september", 1.788e9),
        stored("october", 1.791e9),
    ]
    chosen = matches_to_delete(matches, free_bytes=0, target_free_bytes=100 * GB)
    assert ids(chosen) == ["september", "october", "1970", "counted"]
