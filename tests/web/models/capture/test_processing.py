from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.web.models.capture.processing import ProcessMatch


def test_options_are_passed_on_by_job_with_their_defaults() -> None:
    asked = ProcessMatch.model_validate({"steps": ["reel"], "reel": {"before_s": 3}})
    assert asked.params() == {
        "reel": {"camera": "cam0", "before_s": 3.0, "after_s": 4.0, "kinds": []}
    }
    assert ProcessMatch.model_validate({"steps": ["archive"]}).params() == {}


@pytest.mark.parametrize(
    "body",
    [
        {"steps": []},
        {"steps": ["edges"]},
        {"steps": ["archive"] * 9},
        {"steps": ["reel"], "reel": {"camera": "../etc"}},
        {"steps": ["reel"], "reel": {"after_s": 0}},
        {"steps": ["follow"], "follow": {"zoom": 5}},
        {"steps": ["follow"], "follow": {"keyframes": [{"at_s": 1, "x": 1.5}]}},
        {"steps": ["follow"], "follow": {"pitch": [[0, 0], [1, 1]]}},
    ],
)
def test_what_no_job_can_do_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProcessMatch.model_validate(body)
