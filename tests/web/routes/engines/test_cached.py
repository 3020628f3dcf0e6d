from __future__ import annotations

from typing import Any, cast

import pytest
from fastapi import Request

from touchline.engines import Body, Engines
from touchline.web.routes.engines.cached import CachedAnswers, stale_headers


class PlayedEngines:
    """A half whose data is that old."""

    def __init__(self, stale_s: float | None = None) -> None:
        self._stale_s = stale_s

    def stale_s(self) -> float | None:
        return self._stale_s


def asked(tag: str | None = None) -> Request:
    headers = [] if tag is None else [(b"if-none-match", tag.encode())]
    return Request({"type": "http", "headers": headers})


def send(answers: CachedAnswers, body: Body, tag: str | None = None) -> Any:
    return answers.send(asked(tag), "engines", body, cast("Engines", PlayedEngines()))


def test_a_version_is_sent_once_to_whoever_says_that_it_has_it() -> None:
    answers, body = CachedAnswers(), Body(7, b"[1]")
    first = send(answers, body)
    tag = first.headers["etag"]
    assert (first.status_code, first.body) == (200, b"[1]")
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = send(answers, body, given)
        assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    assert send(answers, Body(8, b"[2]"), tag).status_code == 200
    assert (answers.hits, answers.misses) == (4, 2)


def test_versions_of_another_server_or_of_something_else_do_not_match() -> None:
    body = Body(7, b"[1]")
    answers = CachedAnswers()
    tag = send(answers, body).headers["etag"]
    assert send(CachedAnswers(), body, tag).status_code == 200
    other = answers.send(asked(tag), "streams", body, cast("Engines", PlayedEngines()))
    assert other.status_code == 200


@pytest.mark.parametrize(("stale_s", "age"), [(None, None), (0.2, "0"), (65.4321, "65")])
def test_data_of_an_unreachable_runtime_says_its_age(
    stale_s: float | None, age: str | None
) -> None:
    headers = stale_headers(cast("Engines", PlayedEngines(stale_s)))
    assert headers.get("age") == age
    assert bool(headers) is (stale_s is not None)
    if stale_s is not None:
        assert headers["x-touchline-stale-seconds"] == f"{stale_s:.3f}"
        assert headers["warning"].startswith("110")
