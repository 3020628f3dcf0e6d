from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.web.models.capture.panorama import PanoramaConfigUpdate


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"output_width": None, "quality": None}, {}),
        ({"output_width": 3840.0, "enabled": "yes"}, {"output_width": 3840, "enabled": True}),
        ({"automatic_size": True}, {"output_width": None, "output_height": None}),
        ({"automatic_size": False, "blend_width": 64}, {"blend_width": 64}),
        ({"colour": "red"}, {}),
    ],
)
def test_only_what_was_given_is_changed(body: dict[str, Any], changes: dict[str, Any]) -> None:
    assert PanoramaConfigUpdate.model_validate(body).changes() == changes


@pytest.mark.parametrize(
    "body",
    [
        {"output_width": 641},
        {"output_width": "3840"},
        {"output_height": 4322},
        {"blend_width": 1},
        {"preview_fps_target": 0},
        {"projection": "mercator"},
        {"enabled": "perhaps"},
    ],
)
def test_what_no_panorama_can_have_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(body))):
        PanoramaConfigUpdate.model_validate(body)
