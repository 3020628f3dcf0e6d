"""Each kind of job is in one table."""

from __future__ import annotations

from typing import get_args

from touchline.capture.processing.kinds import KINDS, _merged
from touchline.capture.settings.processing import Kind
from touchline.studio.verbs import VERBS


def test_every_kind_that_can_be_asked_for_is_in_the_table_and_a_verb_of_the_studio() -> None:
    assert set(KINDS) == set(get_args(Kind))
    assert set(KINDS) <= set(VERBS)


def test_what_is_made_of_other_jobs_comes_after_them() -> None:
    order = list(KINDS)
    assert order.index("panorama") < order.index("follow") < order.index("reel")
    assert order[-1] == "upload"


def test_stretches_that_touch_become_one() -> None:
    assert _merged([(10, 20), (0, 5), (18, 30), (5, 6)]) == [(0, 6), (10, 30)]
