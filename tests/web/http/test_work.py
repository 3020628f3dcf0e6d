"""The table of budgets in the documentation has the limits of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from touchline.capture.processing.jobs import MOST_WAITING
from touchline.core.descriptors import KEPT_FREE, MOST, SPARE
from touchline.engines.settings.tree import ScalingSettings
from touchline.live.rtsp.door import MAX_CLIENTS, MAX_STRANGERS_PER_ADDRESS
from touchline.live.transcoding.transcodes import MAX_TRANSCODES
from touchline.live.webrtc.webrtc import MAX_SESSIONS
from touchline.settings.tree import HttpSettings, WebSocketSettings
from touchline.web.app import MAX_BODY_BYTES
from touchline.web.http.work import BUDGETS
from touchline.web.server.connection import MAX_FIELDS, MAX_HEAD_BYTES
from touchline.web.server.door import BODY_S, LIMITS_S, UNREAD_S

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"
ROW_OF = {
    "clip": "clips being cut",
    "still": "stills",
    "poster": "posters",
    "verification": "verification",
    "archive": "ZIPs of matches",
    "download": "downloads",
    "playlist": "playlists of matches",
    "calibration": "calibrations",
    "diagnosis": "diagnoses",
}
ISSUE_NAMES = (
    "descriptors", "connections", "threads", "child processes", "memory", "disk space",
    "disk bandwidth",
)  # fmt: skip


def rows() -> dict[str, str]:
    """The whole row of each resource, by its name."""
    section = PAGE.read_text("utf-8").split("\n## Budgets\n")[1].split("\n## ")[0]
    table = section.split("\nWhat the server itself asks")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip(): line for line in lines}


def numbers(text: str) -> set[int]:
    return {int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", text)}


@pytest.mark.parametrize("kind", BUDGETS)
def test_each_kind_of_work_has_its_row_with_its_limits(kind: str) -> None:
    budget, row = BUDGETS[kind], rows()[ROW_OF[kind]]
    assert f"| {budget.at_once}, and {budget.waiting} that wait" in row
    assert f"`Retry-After: {budget.retry_after_s:g}`" in row


@pytest.mark.parametrize("name", ISSUE_NAMES)
def test_each_resource_has_a_row_of_five_columns(name: str) -> None:
    cells = rows()[name].strip("|").split("|")
    assert len(cells) == 5
    assert all(cells[n].strip() for n in (0, 1, 4)), "what there is, and what happens at the limit"


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("descriptors", {MOST, KEPT_FREE, SPARE}),
        ("connections", {HttpSettings().max_connections}),
        (
            "connections and requests of one address",
            {HttpSettings().max_connections_per_address},
        ),
        (
            "time of a connection",
            {round(each) for each in (LIMITS_S["waiting"], BODY_S, UNREAD_S)},
        ),
        ("head of a request", {MAX_HEAD_BYTES >> 10, MAX_FIELDS, MAX_BODY_BYTES >> 10}),
        ("WebSockets", {WebSocketSettings().max_connections}),
        ("post-processing", {MOST_WAITING}),
        ("WebRTC viewers", {MAX_SESSIONS}),
        ("RTSP clients", {MAX_CLIENTS, MAX_STRANGERS_PER_ADDRESS}),
        ("engines being started", {ScalingSettings().max_concurrent_provisions}),
        (
            "child processes",
            {BUDGETS[each].at_once for each in ("clip", "still", "calibration")} | {MAX_TRANSCODES},
        ),
    ],
)
def test_a_row_has_the_limits_of_the_code(name: str, limits: set[int]) -> None:
    assert limits <= numbers(rows()[name])
