"""JSON of somebody else is taken whole or refused."""

from __future__ import annotations

from typing import Any

import pytest

from touchline.foreign.json import parse_foreign

ABSURD = (
    pytest.param(b'{"a":' + b"9" * 400 + b"}", id="400 digits"),
    pytest.param(b'{"a":-' + b"9" * 400 + b"}", id="400 digits below zero"),
    pytest.param(b'{"a":' + b"9" * 5000 + b"}", id="5000 digits"),
    pytest.param(b'{"a":NaN}', id="NaN"),
    pytest.param(b'{"a":Infinity}', id="infinity"),
    pytest.param(b'{"a":-Infinity}', id="minus infinity"),
    pytest.param(b'{"a":1e999}', id="1e999"),
    pytest.param(b'{"a":[-1e999]}', id="-1e999"),
    pytest.param(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", id="900 lists"),
    pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, id="900 objects"),
    pytest.param(b"[" * 100_000, id="lists without an end"),
    pytest.param(b'{"a":"\\ud800"}', id="half a character"),
    pytest.param(b'{"\\uDFFF":1}', id="half a character as a name"),
    pytest.param(b'{"a":"\xff"}', id="no UTF-8"),
    pytest.param(b"", id="nothing"),
    pytest.param(b"<html>", id="no JSON"),
)


@pytest.mark.parametrize("content", ABSURD)
def test_what_nobody_means_is_refused_whole(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_foreign(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a":9223372036854775807}', {"a": (1 << 63) - 1}),
        (b'{"a":-1.5e300}', {"a": -1.5e300}),
        (b'{"a":"\\u00e9\\ud83d\\ude00"}', {"a": "é😀"}),
        (b"[" * 30 + b"]" * 30, None),
    ],
)
def test_what_answers_hold_is_taken(content: bytes, expected: Any) -> None:
    taken = parse_foreign(content)
    assert expected is None or taken == expected
