"""Each kind of job is in one table."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from touchline.capture.jobkinds import kinds
from touchline.capture.jobkinds.kinds import KINDS, ORDER
from touchline.studio.verbs import load_verb


@pytest.mark.parametrize("name", ORDER)
def test_every_kind_is_a_verb_of_the_studio(name: str) -> None:
    assert load_verb(name).__module__ == f"touchline.studio.verbs.{name}"


def test_what_is_made_of_other_jobs_comes_after_them() -> None:
    order = list(KINDS)
    assert order.index("panorama") < order.index("follow") < order.index("reel")
    assert order[-1] == "upload"


def test_names_of_kinds_are_accepted_and_no_others() -> None:
    names = TypeAdapter[str](kinds.JobKindName)
    assert [names.validate_python(name) for name in ORDER] == list(get_args(kinds.JobKindName))
    with pytest.raises(ValidationError, match="'archive', 'sprites'"):
        names.validate_python("edges")
