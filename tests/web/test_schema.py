"""The description from which the dashboard's types are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from touchline.core.eventkinds import AlertType, EventCategory, EventType
from touchline.web.app import bare_app
from touchline.web.schema import closed_schema

ROOT = Path(__file__).parents[2]


def described(schema: dict[str, Any], model: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["components"]["schemas"][model]["properties"][name]
    return found


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        ("EventEntry", "event_type", get_args(EventType)),
        ("EventEntry", "category", get_args(EventCategory)),
        ("CameraStatus", "state", ("idle", "starting", "running", "stopping", "error")),
    ],
)
def test_the_dashboard_has_exactly_the_words_that_this_server_sends(
    model: str, name: str, words: tuple[str, ...]
) -> None:
    closed = described(closed_schema(), model, name)
    assert (closed["type"], tuple(closed["enum"])) == ("string", words)
    assert "anyOf" not in closed


def test_why_an_engine_drains_is_a_list_of_words_or_nothing() -> None:
    first, second = described(closed_schema(), "EngineState", "draining")["anyOf"]
    assert "requested" in first["enum"]
    assert second == {"type": "null"}


def test_other_clients_are_told_that_there_may_be_other_words() -> None:
    choices = described(bare_app().openapi(), "EventEntry", "event_type")["anyOf"]
    assert choices[1] == {"type": "string"}
    assert set(get_args(AlertType)) < set(choices[0]["enum"])


def test_the_dashboard_is_built_anew_when_the_words_change() -> None:
    """Its types come from modules outside of `web`, too, which `scripts/setup` has to watch."""
    watched = (ROOT / "scripts" / "setup").read_text()
    for words in ("core/eventkinds.py", "engines/plan.py"):
        assert (ROOT / "src" / "touchline" / words).is_file()
        assert f"src/touchline/{words}" in watched
