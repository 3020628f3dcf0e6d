"""The limits of each kind of work are kept, and are those of the documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import touchline
from support.fakelibrary import FakeArchive
from support.fakesystem import FakeSystem
from support.serving import BASE_URL
from touchline.capture import MatchTimes
from touchline.capture.processing.jobs import MOST_WAITING
from touchline.core.descriptors import KEPT_FREE, MOST, SPARE
from touchline.core.worklimits import WorkLimit
from touchline.engines.settings.tree import ScalingSettings
from touchline.live.rtsp.door import MAX_CLIENTS, MAX_STRANGERS_PER_ADDRESS
from touchline.live.transcoding.pool import MAX_TRANSCODES
from touchline.live.webrtc.webrtc import MAX_SESSIONS
from touchline.settings.tree import HttpSettings, WebSocketSettings
from touchline.web import create_app
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
MATCH = "/api/v1/recordings/m1"
ASKED = {
    "clip": ("GET", f"{MATCH}/clip?camera=0&start=0&end=1"),
    "still": ("GET", "/api/v1/cameras/0/snapshot.jpg"),
    "poster": ("GET", "/api/v1/matches/m1/poster.jpg"),
    "verification": ("POST", f"{MATCH}/verify"),
    "archive": ("GET", f"{MATCH}/download"),
    "download": ("GET", f"{MATCH}/segments/cam0.mp4"),
    "playlist": ("GET", f"{MATCH}/vod/cam0.m3u8"),
    "calibration": ("POST", "/api/v1/panorama/calibration/capture"),
    "diagnosis": ("GET", "/api/v1/check"),
}
"""A request for work of each kind."""
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


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    """A system with one match."""
    folder = tmp_path / "recordings" / "m1" / "segments"
    folder.mkdir(parents=True)
    (folder / "cam0.mp4").write_bytes(b"footage")
    made = FakeSystem.make(tmp_path)
    made.capture.library.archives["m1"] = FakeArchive("m1.zip", (b"footage",))

    async def clock_of(match_id: str) -> MatchTimes:
        del match_id
        return MatchTimes(origin_ns=0, unix_correction_ns=0)

    monkeypatch.setattr(made.capture.clips, "clock_of", clock_of)
    return made


@asynccontextmanager
async def occupied(limit: WorkLimit) -> AsyncIterator[None]:
    """Others have every turn meanwhile, and every place to wait for one."""

    async def hold() -> None:
        async with limit.turn():
            await anyio.sleep_forever()

    budget = limit.budget
    async with anyio.create_task_group() as others:
        for _ in range(budget.at_once + budget.waiting):
            others.start_soon(hold)
        with anyio.fail_after(10):
            while (limit.running, limit.waiting) != (budget.at_once, budget.waiting):
                await anyio.sleep(0.001)
        yield
        others.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", BUDGETS)
async def test_a_request_that_finds_every_place_taken_is_told_when_to_come_again(
    system: FakeSystem, kind: str
) -> None:
    app: Any = create_app(system)  # type: ignore[arg-type]
    limit = app.state.work[kind]
    method, path = ASKED[kind]
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
        occupied(limit),
    ):
        response = await client.request(method, path)
    assert response.status_code == 503
    assert response.headers["retry-after"] == f"{BUDGETS[kind].retry_after_s:g}"
    body = response.json()
    assert (body["code"], body["can_retry"]) == ("too_busy", True)
    assert BUDGETS[kind].what in body["detail"]
    assert limit.refused == 1


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


def test_no_request_uses_the_threads_of_the_recorder() -> None:
    """The pool that is used without a limiter is the recorder's: no flood may occupy it."""
    for path in (Path(touchline.__file__).parent / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = [ast.unparse(each) for each in (node.func, *node.args[:1])]
            if any(each.endswith("to_thread.run_sync") for each in called):
                limited = any(keyword.arg == "limiter" for keyword in node.keywords)
                assert limited, f"{path}:{node.lineno}"
