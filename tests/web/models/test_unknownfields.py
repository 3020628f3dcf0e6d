from __future__ import annotations

import logging

import pytest

from touchline.web.models.unknownfields import Tolerant


class Body(Tolerant):
    """A body with two fields."""

    match_id: str = ""
    force: bool = False


def test_a_body_without_unknown_fields_changes_no_answer() -> None:
    answer = {"success": True}
    assert Body(match_id="m1").add_warnings(answer) is answer


def test_an_unknown_field_is_ignored_and_named_with_the_one_that_was_meant(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    body = Body.model_validate({"match_id": "m1", "Match_Id": "m2", "colour": "red"})
    assert body.match_id == "m1"
    first, second = body.warnings()
    assert "'Match_Id'" in first
    assert "did you mean 'match_id'?" in first
    assert "known fields: match_id, force" in second
    assert first in caplog.messages
    noted = body.add_warnings({"success": True})
    assert noted["success"] is True
    assert len(noted["warnings"]) == 2  # type: ignore[arg-type]


def test_what_is_echoed_is_bounded_and_printable() -> None:
    body = Body.model_validate({f"\x1b[31m{n}" + "x" * 5000: 1 for n in range(100)})
    told = body.warnings()
    assert len(told) == 8
    assert all(len(each) < 300 and each.isprintable() for each in told)
