from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.capture.settings.processing import ProcessingSettings


def test_a_recording_is_followed_by_what_every_match_needs() -> None:
    settings = ProcessingSettings()
    assert settings.after_recording == ("archive", "sprites", "panorama", "follow")
    assert not settings.while_recording


@pytest.mark.parametrize("kinds", [["archive", "upload"], ["reel"], []])
def test_what_is_made_can_be_chosen(kinds: list[str]) -> None:
    settings = ProcessingSettings.model_validate({"after_recording": kinds})
    assert list(settings.after_recording) == kinds


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"after_recording": ["highlights"]}, ("after_recording", 0)),
        ({"after_recording": "archive"}, ("after_recording",)),
        ({"whilst_recording": True}, ("whilst_recording",)),
        ({"archive": {"profile": "tiny"}}, ("archive", "profile")),
        ({"archive": {"height": 719}}, ("archive", "height")),
        ({"archive": {"height": 178}}, ("archive", "height")),
        ({"archive": {"height": 4322}}, ("archive", "height")),
        ({"archive": {"crf": 9}}, ("archive", "crf")),
        ({"archive": {"crf": 41}}, ("archive", "crf")),
        ({"archive": {"preset": "placebo"}}, ("archive", "preset")),
    ],
)
def test_a_wrong_value_is_named_by_its_place(
    wrong: dict[str, Any], where: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        ProcessingSettings.model_validate(wrong)
    assert [error["loc"] for error in raised.value.errors()] == [where]
