"""Times of clips, as programs and people write them."""

from __future__ import annotations

import pytest

from touchline.capture import MatchTimes
from touchline.core.errors import Invalid
from touchline.web.routes.capture.clips import _parse_time_ns

ORIGIN_NS = 1_770_847_361_000_000_000
TIMES = MatchTimes(origin_ns=ORIGIN_NS, unix_correction_ns=0)


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("0", 0),
        ("5400.25", 5400.25),
        ("1.1280000000000001", 1.128),
        ("0.30000000000000004", 0.3),
        ("2026-02-11T22:02:43Z", 2),
        ("2026-02-11T23:02:43.5+01:00", 2.5),
    ],
)
def test_a_time_is_a_second_of_the_match_or_a_date(text: str, second: float) -> None:
    assert _parse_time_ns("start", text, TIMES) == ORIGIN_NS + round(second * 1e9)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "nan", "12:30", "1" * 7, "0." + "1" * 21])
def test_another_form_is_refused_with_the_forms_that_there_are(text: str) -> None:
    with pytest.raises(Invalid, match="seconds from the start of the match") as refused:
        _parse_time_ns("end", text, TIMES)
    assert refused.value.code == "clip_time"
