from __future__ import annotations

from typing import Any

import pytest

from touchline.engines.model.runtime import RuntimeUnavailable, StartFailed
from touchline.engines.runtimes.sense import making_sense


@pytest.mark.parametrize(
    "read",
    [
        lambda answer: answer["a"]["b"],
        lambda answer: int(answer["a"]),
        lambda answer: answer["a"].keys(),
        lambda answer: 1 / len(answer["b"]),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_one_that_did_not_come(read: Any) -> None:
    with pytest.raises(RuntimeUnavailable, match="response is invalid"), making_sense():
        read({"a": "x", "b": []})


def test_it_is_told_in_one_short_printable_line() -> None:
    @making_sense()
    def read() -> None:
        raise ValueError("a\nb\x1b[31m" + "x" * 5000)

    with pytest.raises(RuntimeUnavailable) as caught:
        read()
    assert len(caught.value.message) < 300
    assert caught.value.message.isprintable()


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(StartFailed), making_sense():
        raise StartFailed("it ended")
