from __future__ import annotations

import json
from typing import Any

import pytest

from touchline.foreign.numbers import LARGEST
from touchline.web.http.answers import (
    ECHOED_CHARS,
    ECHOED_ITEMS,
    answer,
    encode_echo,
    encoded,
    plain,
)


def test_an_answer_is_compact_json_and_bytes_are_sent_as_they_are() -> None:
    assert bytes(answer({"a": [1, "ä"]}).body) == '{"a":[1,"ä"]}'.encode()
    found = answer(b"[]", 202, {"X-A": "b"})
    assert (bytes(found.body), found.status_code, found.headers["x-a"]) == (b"[]", 202, "b")
    assert found.media_type == "application/json"


def test_numbers_that_are_no_json_are_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encoded(float("nan"))


def test_a_client_recognises_its_own_id_whatever_is_in_it() -> None:
    assert json.loads(encode_echo("a\ud800")) == "a\ud800"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (LARGEST, LARGEST),
        (LARGEST + 1, "…"),
        (float("inf"), "inf"),
        (b"a\xff", "a�"),
        ((1, 2), [1, 2]),
        ({1: {2}}, {"1": [2]}),
    ],
)
def test_input_is_echoed_as_plain_json(value: Any, shown: Any) -> None:
    assert plain(value) == shown


def test_long_and_deep_input_is_shortened() -> None:
    assert len(plain("x" * 5000)) == ECHOED_CHARS + 1
    assert len(plain(list(range(5000)))) == ECHOED_ITEMS
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert json.dumps(plain(deep), ensure_ascii=False) == '[[[[[[[["…"]]]]]]]]'
