from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.library.manifest.matchid import valid_match_id
from touchline.core.errors import Invalid


@pytest.mark.parametrize(
    "text",
    ["m", "match_1770847361", "U19 Final 2-1", "Bülach-Wil", "試合", "a.b", "x" * 128],
)
def test_a_match_id_of_letters_digits_and_plain_marks_is_valid(text: str) -> None:
    assert valid_match_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\nb", "a\x7fb", "x" * 129),
        *(" ", "   ", " a", "a ", " . "),
        *("a:b", "a\u2028b", "a\u200bb", "a\ud800b", "a%2fb", "試" * 100, "a\u202eb", "a\u00a0b"),
    ],
)
def test_a_match_id_that_could_be_a_path_or_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        valid_match_id(text)


@given(st.text(max_size=140))
def test_whatever_is_a_valid_match_id_is_one_path_component(text: str) -> None:
    try:
        valid = valid_match_id(text)
    except Invalid:
        return
    root = Path("/root")
    assert (root / valid).parent == root
    assert (root / valid).name == valid
    assert len(valid.encode()) <= 255
