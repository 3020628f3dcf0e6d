from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.foreign import text

ANY = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Derby, 2:1, Tor für Österreich ⚽", "Derby, 2:1, Tor für Österreich ⚽"),
        ("a\nb\r\nc\td", "a\\nb\\r\\nc\\td"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("nul\x00del\x7fcsi\x9b", "nul\\x00del\\x7fcsi\\x9b"),
        ("gnp\u202egpj.exe", "gnp\\u202egpj.exe"),
        ("a\u2028b\u2029c\ufeff", "a\\u2028b\\u2029c\\ufeff"),
        ("\udcff and \ud800", "\\xff and \\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("👩\u200d👧", "👩\u200d👧"),
    ],
)
def test_text_is_shown_in_one_printable_line(given: str, written: str) -> None:
    assert text.shown(given) == written


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    assert text.shown("x" * 10, 5) == "xxxx…"
    assert text.shown("x" * 5, 5) == "xxxxx"


def test_lines_and_tabs_are_kept_where_text_has_lines() -> None:
    assert text.written("a\n\tb\r\x1b") == "a\n\tb\\r\\x1b"


def test_names_that_are_not_utf_8_are_shown_by_their_bytes() -> None:
    assert text.file_name(os.fsdecode(b"match_\xff\n")) == "match_\\xff\\n"


@given(ANY)
def test_no_text_breaks_a_line_or_an_encoding(any_text: str) -> None:
    line = text.shown(any_text)
    assert line.splitlines() in ([], [line])
    line.encode()
    assert text.shown(line) == line
    told = text.json_line({"message": any_text, any_text: [any_text]})
    assert told.splitlines() == [told]
    assert json.loads(told)["message"].encode() is not None
    cue = text.vtt_text(any_text)
    assert "-->" not in cue
    assert "<" not in cue
    assert cue.strip()
    assert cue.splitlines() == [cue]


@given(st.binary())
def test_bytes_of_another_program_become_one_line(data: bytes) -> None:
    line = text.of_bytes(data)
    line.encode()
    assert line.splitlines() in ([], [line])


def test_values_that_json_does_not_have_are_written_as_text() -> None:
    deep: list[object] = []
    for _ in range(2000):
        deep = [deep]
    told = json.loads(text.json_line({"nan": float("nan"), "deep": deep, "bytes": b"x\n"}))
    assert told["nan"] == "nan"
    assert told["bytes"] == "b'x\\n'"
