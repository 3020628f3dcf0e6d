"""A match of two halves, on a phone and on a desk, with a reload in the middle of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.server import SMALL, Server, serving, wait_for
from support.watching import root

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "has_touch": True, "theme": "dark"},
    "desk": {"theme": "dark"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    cameras = {0: {**SMALL, "name": "LEFT"}, 1: {**SMALL, "name": "RIGHT"}}
    with serving(tmp_path_factory.mktemp("server"), cameras, protection_s=0) as running:
        yield running


@pytest.fixture(params=SCREENS)
def board(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Dashboard]:
    with dashboard(chromium, root(server), **SCREENS[request.param]) as made:
        yield made
        assert made.faults == []


def verdict(page: Page) -> Any:
    return page.get_by_role("region", name="Last recording")


def records(board: Dashboard, server: Server, seconds: float = 3) -> str:
    """It records on after a reload; returns the id of the match."""
    word = board.page.locator(".state-word")
    expect(word).to_have_text("Recording")
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old")
    board.page.reload()
    expect(word).to_have_text("Recording")
    return str(server.status()["match_id"])


def stop(board: Dashboard) -> None:
    """Stop by keyboard alone; the verdict is there after a reload, too."""
    page = board.page
    board.button("Stop recording").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog")).to_be_visible()
    assert board.violations() == []
    board.page.get_by_role("alertdialog").get_by_role("button", name="Stop recording").focus()
    page.keyboard.press("Enter")
    expect(verdict(page)).to_contain_text("Match saved")
    page.reload()
    expect(verdict(page)).to_contain_text("Match saved")
    assert board.violations() == []


def test_a_match_of_two_halves_is_recorded_watched_and_made_into_highlights(
    board: Dashboard, server: Server
) -> None:
    page = board.go("/")
    board.name_the_match(home_team="Owls", away_team="Bears", competition="Cup")
    page.reload()
    expect(page.get_by_label("Home team")).to_have_value("Owls")
    expect(page.locator(".state-word")).to_have_text("Ready")
    board.button("Start recording").focus()
    page.keyboard.press("Enter")
    match_id = records(board, server)
    expect(page.get_by_text("Owls – Bears").first).to_be_visible()
    mark_and_take_back(board, server, match_id)
    assert board.violations() == []
    stop(board)

    board.button("Record second half").click()
    expect(page.get_by_text("Next part of Owls – Bears")).to_be_visible()
    board.button("Start recording").click()
    assert records(board, server) == match_id
    stop(board)
    assert len(server.segments(match_id, 0)) >= 2

    page.get_by_role("link", name="Make highlights").click()
    expect(page.get_by_role("checkbox", name="Highlights")).to_be_checked()
    board.go("/")
    verdict(page).get_by_role("link", name="Watch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Owls – Bears")
    assert match_id in unquote(page.url)
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    board.go("/")
    board.button("Dismiss").click()
    expect(verdict(page)).to_have_count(0)
    server.client.delete(f"/recordings/{match_id}").raise_for_status()


def mark_and_take_back(board: Dashboard, server: Server, match_id: str) -> None:
    """A mark can still be taken back after a reload."""
    marks = board.page.get_by_role("region", name="Mark a moment")
    marks.get_by_role("button", name="now").click()
    marks.get_by_role("button", name="Goal").click()
    expect(marks.get_by_role("status")).to_contain_text("Goal at 0:")
    marks.get_by_role("button", name="Corner").click()
    expect(marks.get_by_role("status")).to_contain_text("Corner at 0:")
    board.page.reload()
    expect(marks.get_by_role("status")).to_contain_text("Corner at 0:")
    marks.get_by_role("button", name="Undo").click()
    made = f"/recordings/{match_id}/markers"
    wait_for(
        lambda: [each["kind"] for each in server.get(made)["markers"]] == ["goal"], "taken back"
    )
