"""The library on a phone and on a desk: pictures, details, trash, search, videos and downloads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer, engine_server
from support.frames import probe
from support.server import wait_for

DERBY, OWLS = "2026-11-27 SV Süd - FC Nord - Cup", "owls"
DETAILS = {"home": "Owls", "away": "Bears", "competition": "League", "date": "2026-11-20"}
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "has_touch": True},
    "desk": {},
}


@pytest.fixture(scope="module")
def server(two_views: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """A server with two matches: one named by its id, one by its details, with a marked goal."""
    env = {"TOUCHLINE_CAPTURE__CAMERAS": two_views}
    with engine_server(tmp_path_factory.mktemp("server"), env=env) as running:
        film(running, DERBY)
        film(running, OWLS, details=DETAILS)
        goal = {"kind": "goal", "at": 1.0}
        running.client.post(f"/recordings/{OWLS}/markers", json=goal).raise_for_status()
        yield running


def film(server: EngineServer, match_id: str, **body: Any) -> None:
    server.started(match_id, **body)
    wait_for(lambda: server.status()["duration"] >= 4, f"{match_id} is filmed")
    assert server.stop()["success"]


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def board(chromium: Browser, server: EngineServer, screen: str) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin, **SCREENS[screen]) as made:
        yield made
        assert made.faults == []


def card_of(board: Dashboard, title: str) -> Locator:
    return board.page.get_by_role("listitem").filter(has=board.page.get_by_role("link", name=title))


def too_wide(board: Dashboard) -> int:
    """By how many pixels the page is wider than the screen."""
    found: int = board.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found


def open_match(board: Dashboard, title: str) -> None:
    board.go("/matches")
    card_of(board, title).click()
    expect(board.page.get_by_role("heading", level=1, name=title)).to_be_visible()


def test_a_match_is_found_by_its_picture_and_its_details_are_edited(
    board: Dashboard, server: EngineServer, screen: str
) -> None:
    page = board.go("/matches")
    card = card_of(board, "SV Süd – FC Nord")
    expect(card).to_contain_text("Nov 27, 2026 · Cup")
    poster = card.locator("img")
    before = poster.bounding_box()
    wait_for(lambda: poster.evaluate("img => img.naturalWidth > 0"), "the poster is shown")
    assert before == poster.bounding_box(), "the poster moved what is around it"
    assert board.violations() == []
    assert too_wide(board) <= 0
    card.click()

    venue = f"Pitch of the {screen}"
    board.button("Edit details").click()
    dialog = page.get_by_role("dialog", name="Match details")
    expect(dialog.get_by_label("Home team")).to_have_value("SV Süd")
    expect(dialog.get_by_label("Date")).to_have_value("2026-11-27")
    dialog.get_by_label("Venue").fill(venue)
    assert board.violations() == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text(f"Nov 27, 2026 · Cup · {venue}")).to_be_visible()
    page.reload()
    expect(page.get_by_text(f"Nov 27, 2026 · Cup · {venue}")).to_be_visible()
    assert server.get(f"/matches/{DERBY}/details")["venue"] == venue


def test_a_refused_save_is_told_at_its_field_and_nothing_typed_is_lost(
    board: Dashboard, server: EngineServer
) -> None:
    kept = server.get(f"/matches/{OWLS}/details")
    open_match(board, "Owls – Bears")
    page = board.page
    board.button("Edit details").click()
    dialog = page.get_by_role("dialog", name="Match details")
    dialog.get_by_label("Note").fill("Rain in the second half")
    dialog.get_by_label("Date").fill("12026-11-20")
    dialog.get_by_role("button", name="Save").click()
    date = dialog.get_by_label("Date")
    expect(date).to_have_accessible_description(re.compile("Enter a date"))
    expect(date).to_be_focused()
    expect(dialog.get_by_text("What you typed is still here")).to_be_visible()
    expect(dialog.get_by_label("Note")).to_have_value("Rain in the second half")
    assert server.get(f"/matches/{OWLS}/details") == kept
    assert board.violations() == []
    date.fill("2026-11-20")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("Rain in the second half")).to_be_visible()


def test_a_match_goes_to_the_trash_and_comes_back(board: Dashboard, server: EngineServer) -> None:
    page = board.page
    open_match(board, "Owls – Bears")
    board.button("Move to trash").click()
    board.told("Moved to trash")
    expect(card_of(board, "Owls – Bears")).to_have_count(0)
    assert [each["match_id"] for each in server.get("/trash")["matches"]] == [OWLS]
    board.button("Undo").last.click()
    expect(card_of(board, "Owls – Bears")).to_be_visible()
    assert server.get("/trash")["matches"] == []

    open_match(board, "Owls – Bears")
    board.button("Move to trash").click()
    page.get_by_role("tab", name="Trash (1)").click()
    expect(page.get_by_text("7 days left")).to_be_visible()
    page.reload()
    expect(page.get_by_text("7 days left")).to_be_visible()
    assert board.violations() == []
    assert too_wide(board) <= 0
    board.button("Restore: Owls – Bears").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    page.get_by_role("tab", name="Matches").click()
    expect(card_of(board, "Owls – Bears")).to_be_visible()


def test_a_search_survives_a_reload_and_one_without_a_match_says_so(board: Dashboard) -> None:
    page = board.go("/matches")
    search = page.get_by_role("searchbox", name="Search")
    search.fill("owls league")
    expect(card_of(board, "Owls – Bears")).to_be_visible()
    expect(card_of(board, "SV Süd – FC Nord")).to_have_count(0)
    page.reload()
    expect(search).to_have_value("owls league")
    expect(card_of(board, "Owls – Bears")).to_be_visible()
    expect(card_of(board, "SV Süd – FC Nord")).to_have_count(0)
    search.fill("nobody plays here")
    expect(page.get_by_text("No matches found.")).to_be_visible()
    assert board.violations() == []
    board.button("Show all matches").click()
    expect(card_of(board, "SV Süd – FC Nord")).to_be_visible()


def test_the_desk_has_a_table_that_stays_and_the_phone_cards_only(
    board: Dashboard, screen: str
) -> None:
    page = board.go("/matches")
    expect(card_of(board, "SV Süd – FC Nord")).to_be_visible()
    if screen == "phone":
        expect(page.get_by_role("radio", name="Table")).to_have_count(0)
        return
    page.get_by_role("radio", name="Table").check()
    page.reload()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("columnheader", name="Match").get_by_role("button").click()
    expect(rows.first).to_contain_text("Owls – Bears")
    page.reload()
    expect(rows.first).to_contain_text("Owls – Bears")
    assert board.violations() == []
    page.set_viewport_size(PHONE)
    expect(card_of(board, "SV Süd – FC Nord")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_a_link_makes_highlights_and_they_are_saved_under_the_names_of_the_teams(
    board: Dashboard, tmp_path: Path
) -> None:
    page = board.go(f"/matches/{OWLS}?make=highlights")
    highlights = page.get_by_role("checkbox", name="Highlights")
    expect(highlights).to_be_checked()
    expect(highlights).to_be_in_viewport()
    expect(page.get_by_role("checkbox", name="Full match per camera")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Upload to S3")).to_be_disabled()
    expect(page.get_by_text("Set up S3 first")).to_be_visible()
    board.button("Create", within=".columns").click()
    made = page.get_by_role("list", name="Videos in progress and done").get_by_role("listitem")
    expect(made.first).to_contain_text("Done", timeout=120_000)
    assert board.violations() == []
    assert too_wide(board) <= 0
    with page.expect_download() as download:
        board.button(re.compile("^Download Highlights")).click()
    assert download.value.suggested_filename == "Owls – Bears, Highlights.mp4"
    download.value.save_as(tmp_path / "reel.mp4")
    assert float(probe(tmp_path / "reel.mp4")["streams"][0]["duration"]) > 0.5
    made.first.get_by_role("button", name=re.compile("Remove from list")).click()
    expect(made).to_have_count(0)

    board.button("Show recorded parts").click()
    page.reload()
    part = board.button(re.compile("^Download LEFT, part 1"))
    with page.expect_download() as download:
        part.click()
    assert download.value.suggested_filename == "Owls – Bears, LEFT, part 1.mp4"
