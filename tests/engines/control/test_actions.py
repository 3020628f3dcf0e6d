from __future__ import annotations

from typing import get_args

from touchline.engines.control.actions import BACKS_OFF, WHY, Plan
from touchline.engines.model.model import Reason


def test_each_reason_is_said_in_words_of_its_own() -> None:
    assert set(WHY) == set(get_args(Reason))
    assert len(set(WHY.values())) == len(WHY)
    assert all(words and not words.endswith(".") for words in WHY.values())


def test_what_comes_again_by_itself_backs_off() -> None:
    asked_for = {"requested", "outdated", "scale_down", "idle"}
    assert set(WHY) - BACKS_OFF == asked_for


def test_a_plan_without_engines_does_nothing() -> None:
    plan = Plan()
    assert plan.actions == ()
    assert (plan.target, plan.running, plan.fit, plan.free, plan.deficit) == (0, 0, 0, 0, 0)
