"""The description from which the dashboard's types are made."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from support.described import description
from support.fakesystem import FakeSystem
from touchline.core.events.kinds import AlertType, EventCategory, EventType
from touchline.web import create_app
from touchline.web.app import key_rules
from touchline.web.auth.access import Access
from touchline.web.description import BEFORE_ROUTES, complete_schema
from touchline.web.http.errors import STATUS_BY_CODE
from touchline.web.schema import build_closed_schema

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "api"
ANYWHERE = {"400", "401", "403", "404", "413", "429", "500"}
"""What routes of every kind may answer; `capture.md` has them."""


closed = cache(build_closed_schema)


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
    found = described(closed(), model, name)
    assert (found["type"], tuple(found["enum"])) == ("string", words)
    assert "anyOf" not in found


def test_why_an_engine_drains_is_a_list_of_words_or_nothing() -> None:
    first, second = described(closed(), "EngineState", "draining")["anyOf"]
    assert "requested" in first["enum"]
    assert second == {"type": "null"}


def test_other_clients_are_told_that_there_may_be_other_words() -> None:
    choices = described(description(), "EventEntry", "event_type")["anyOf"]
    assert choices[1] == {"type": "string"}
    assert set(get_args(AlertType)) < set(choices[0]["enum"])


def test_the_dashboard_is_built_anew_when_the_words_change() -> None:
    """Its types come from modules outside of `web`, too, which `scripts/setup` has to watch."""
    watched = (ROOT / "scripts" / "setup").read_text()
    for words in (
        "core/events/kinds.py",
        "engines/control/actions.py",
        "capture/recording/health/soundness.py",
        "capture/logs/diskstates.py",
    ):
        assert (ROOT / "src" / "touchline" / words).is_file()
        assert f"src/touchline/{words}" in watched
    assert "find src/touchline -name answers.py" in watched


def errors_of(schema: dict[str, Any], *, below: str = "/", but: tuple[str, ...] = ()) -> set[str]:
    """The statuses of all errors of the operations below a path."""
    return {
        status
        for path, item in schema["paths"].items()
        if path.startswith(below) and not path.startswith(but)
        for operation in item.values()
        for status in operation["responses"]
        if status >= "400"
    }


def errors_on(page: str) -> set[str]:
    """The statuses in the first column of a page's tables."""
    rows = re.findall(r"^\| ([0-9 /]+) \|", (PAGES / page).read_text(), re.MULTILINE)
    return {status for row in rows for status in row.split(" / ")}


def test_the_pages_and_the_schema_name_the_same_errors() -> None:
    schema = description()
    whep = errors_of(schema, below="/api/v1/whep")
    assert whep - ANYWHERE - {"404"} == errors_on("webrtc.md") - ANYWHERE
    panorama = errors_of(schema, below="/api/v1/panorama")
    assert panorama - ANYWHERE - {"422"} == errors_on("panorama.md") - ANYWHERE
    everywhere = {str(status) for status in BEFORE_ROUTES}
    pages = [page.name for page in PAGES.iterdir()]
    assert errors_of(schema) | everywhere == set().union(*map(errors_on, pages))


def test_every_reason_with_a_status_of_its_own_is_on_a_page() -> None:
    text = "".join(page.read_text() for page in PAGES.iterdir())
    assert [code for code in STATUS_BY_CODE if f"`{code}`" not in text] == []


def test_every_operation_says_how_it_may_be_refused() -> None:
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            told = set(operation["responses"])
            assert {"400", "429", "500"} <= told, (method, path)
            assert ("security" in operation) <= ({"401", "403"} <= told), (method, path)
            assert ("requestBody" in operation) <= ("413" in told), (method, path)
            assert ("{" in path) <= ("404" in told), (method, path)


def needing_a_key(access: Access) -> set[str]:
    """What needs the key of such a server, by its own description."""
    schema = deepcopy(description())
    complete_schema(schema, key_rules(access, None))
    return keyed(schema)


def keyed(schema: dict[str, Any]) -> set[str]:
    return {
        operation["operationId"]
        for item in schema["paths"].values()
        for operation in item.values()
        if operation.get("security")
    }


def test_a_description_says_what_needs_the_key_of_its_own_server() -> None:
    assert needing_a_key(Access(key=None, hosts=None, on_network=True)) == set()
    local = needing_a_key(Access(key="k", hosts=None, on_network=False))
    network = needing_a_key(Access(key="k", hosts=None, on_network=True))
    assert {"start_recording", "get_clip"} <= local < network
    private = {"get_log", "list_markers", "get_markers_vtt", "get_templates"}
    assert private <= network - local


def test_a_server_with_closed_reads_says_so(tmp_path: Path) -> None:
    system: Any = FakeSystem.make(tmp_path)
    system.settings.auth.api_key = SecretStr("k")
    system.settings.auth.reads = True
    found = keyed(create_app(system).openapi())
    assert {"get_engines", "get_status", "start_recording"} <= found
    assert {"get_liveness", "get_readiness", "get_session"}.isdisjoint(found)
