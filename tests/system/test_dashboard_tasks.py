"""Whole tasks with a match that is over, on a phone and on a desk, in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.frames import probe
from support.keyboard import tab_to
from support.matchserver import SECONDS, match_server, name_teams
from support.server import Server, wait_for
from support.watching import root

MATCH, OTHER = "2026-11-29 Pokal", "2026-11-28 Liga"
SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "has_touch": True, "theme": "dark"},
    "desk": {"theme": "dark"},
}

# A browser without a screen shares nothing: what is shared is written down.
STUB_OF_SHARING = """() => {
    window.shared = [];
    const share = async (data) => { window.shared.push(data.files.map((file) => file.name)); };
    Object.defineProperty(navigator, "canShare", {value: () => true});
    Object.defineProperty(navigator, "share", {value: share});
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with match_server(tmp_path_factory.mktemp("server"), MATCH, OTHER) as running:
        yield running


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def board(chromium: Browser, server: Server, screen: str) -> Iterator[Dashboard]:
    with dashboard(chromium, root(server), **SCREENS[screen]) as made:
        yield made
        assert made.faults == []


def opened(board: Dashboard, match_id: str = MATCH) -> Page:
    """The page of the match, with footage that can be sought, and the tools of the player."""
    page = board.go(f"/matches/{quote(match_id)}")
    line = page.get_by_role("slider", name="Time of the match")
    expect(line).to_have_attribute("aria-valuemax", str(SECONDS))
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    show_tools(page)
    return page


def show_tools(page: Page) -> None:
    """On a phone clip and markers lie in a sheet."""
    sheet = page.get_by_role("button", name="Clip and markers", exact=True)
    start = page.get_by_role("button", name=re.compile("^Set start"))
    expect(sheet.or_(start).first).to_be_visible()
    if sheet.is_visible():
        sheet.evaluate("button => button.click()")


def is_at(page: Page, seconds: float) -> None:
    page.wait_for_function(
        """(wanted) => [...document.querySelectorAll("video")].every((video) =>
            !video.seeking && Math.abs(video.currentTime - wanted) <= 0.2)""",
        arg=seconds,
    )


def length_of(path: Path) -> float:
    return float(probe(path)["streams"][0]["duration"])


def test_a_match_is_played_and_clips_of_it_are_saved(board: Dashboard, tmp_path: Path) -> None:
    page = opened(board)
    page.locator("video").first.evaluate("video => video.scrollIntoView()")
    board.button("Play").first.click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    board.button("Pause").first.click()
    with page.expect_download() as download:
        board.button("Save clip: Goal at 0:03").click()
    download.value.save_as(tmp_path / "goal.mp4")
    assert length_of(tmp_path / "goal.mp4") == pytest.approx(7, abs=0.1)

    board.button("Go to Goal at 0:03").click()
    is_at(page, 0)
    board.button(re.compile("^Set start")).click()
    board.button("Go to Corner at 0:15").click()
    is_at(page, 12)
    board.button("Set end").click()
    page.reload()
    show_tools(page)
    expect(page.get_by_text("Length 0:12.0")).to_be_visible()
    with page.expect_download() as download:
        board.button(re.compile("^Save clip$")).click()
    download.value.save_as(tmp_path / "clip.mp4")
    assert length_of(tmp_path / "clip.mp4") == pytest.approx(12, abs=0.1)
    assert board.violations() == []


def test_a_clip_is_shared_and_a_link_to_a_moment_copied(board: Dashboard) -> None:
    board.context.add_init_script(f"({STUB_OF_SHARING})()")
    board.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(board)
    board.button("Share clip: Goal at 0:03").click()
    page.wait_for_function("() => window.shared.length > 0", timeout=60_000)
    assert page.evaluate("window.shared[0]") == ["SV Süd – FC Nord 0-03.mp4"]
    board.button("Copy link to Corner at 0:15").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).endsWith('?t=15')")
    assert board.violations() == []


def test_a_match_that_is_renamed_is_found_by_its_new_name(board: Dashboard, screen: str) -> None:
    page = opened(board, OTHER)
    title = f"Falken – Adler {screen}"
    board.button("Edit details").evaluate("button => button.click()")
    dialog = page.get_by_role("dialog", name="Match details")
    dialog.get_by_label("Home team").fill("Falken")
    dialog.get_by_label("Away team").fill(f"Adler {screen}")
    assert board.violations() == []
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    board.go("/matches")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_role("searchbox", name="Search").fill("falken adler")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_role("link", name=title).click()
    board.button("Move to trash").evaluate("button => button.click()")
    page.get_by_role("tab", name=re.compile("^Trash")).click()
    board.button(f"Restore: {title}").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()


def test_a_match_is_verified_and_protected(board: Dashboard, server: Server) -> None:
    page = opened(board)
    close_tools(page)
    board.button("Verify").click()
    expect(page.get_by_text(re.compile(r"All [\d,]+ frames are intact"))).to_be_visible()
    protection = page.get_by_role("switch", name="Protect from deletion")
    protection.click()
    expect(board.button("Move to trash")).to_be_disabled()
    page.reload()
    expect(protection).to_be_checked()
    assert board.violations() == []
    protection.click()
    expect(board.button("Move to trash")).to_be_enabled()


def close_tools(page: Page) -> None:
    close = page.get_by_role("button", name="Close clip and markers")
    if close.is_visible():
        close.click()


def test_what_is_done_on_one_device_is_seen_on_the_other(
    board: Dashboard, chromium: Browser, server: Server, screen: str
) -> None:
    other = "phone" if screen == "desk" else "desk"
    with dashboard(chromium, root(server), **SCREENS[other]) as second:
        page = opened(board, OTHER)
        opened(second, OTHER)
        marker = {"kind": "save", "at": 9.0, "text": f"by {screen}"}
        details = {"home": "Eulen", "away": screen}
        server.client.put(f"/matches/{OTHER}/details", json=details).raise_for_status()
        for each in (board, second):
            expect(each.page.get_by_role("heading", level=1)).to_have_text(f"Eulen – {screen}")
        made = server.client.post(f"/recordings/{OTHER}/markers", json=marker).json()
        close_tools(page)
        board.button("Move to trash").click()
        board.told("Moved to trash")
        expect(second.page.get_by_text("There is no match “Liga”.")).to_be_visible()
        board.button("Undo").last.click()
        wait_for(lambda: not server.get("/trash")["matches"], "back from the trash")
        expect(second.page.get_by_role("heading", level=1)).to_have_text(f"Eulen – {screen}")
        assert second.faults == []
        path = f"/recordings/{OTHER}/markers/{made['marker_id']}"
        server.client.delete(path).raise_for_status()


def test_the_library_is_used_by_keyboard_alone(board: Dashboard, server: Server) -> None:
    page = board.go("/matches")
    tab_to(page, page.locator(f'main a[href="#/matches/{quote(MATCH)}"]').first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("SV Süd – FC Nord")
    tab_to(page, board.button("Edit details"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Match details")
    tab_to(page, dialog.get_by_label("Venue"))
    page.keyboard.type("Stadion")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    wait_for(lambda: server.get(f"/matches/{MATCH}/details")["venue"] == "Stadion", "saved")
    expect(board.button("Edit details")).to_be_focused()
    tab_to(page, page.get_by_role("switch", name="Protect from deletion"))
    page.keyboard.press("Space")
    expect(board.button("Move to trash")).to_be_disabled()
    wait_for(lambda: listed(server)["protected"], "protected")
    page.keyboard.press("Space")
    expect(board.button("Move to trash")).to_be_enabled()
    name_teams(server, MATCH)


def listed(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/recordings")["recordings"][MATCH]
    return found


def test_language_and_colours_are_chosen_and_kept(board: Dashboard, screen: str) -> None:
    page = board.go("/")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    choose(board, screen, "Light")
    assert page.evaluate(background) != dark
    choose(board, screen, "Deutsch")
    expect(page.get_by_role("heading", level=1)).to_have_text("Spieltag")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spieltag")
    assert page.evaluate(background) != dark
    assert board.violations() == []


def choose(board: Dashboard, screen: str, name: str) -> None:
    """Choose a language or colours, which are behind the last entry on a phone."""
    if screen == "phone" and not board.page.get_by_role("dialog").is_visible():
        board.button("More", within="nav").tap()
    board.page.get_by_role("radio", name=name).check()
    if screen == "phone":
        board.page.keyboard.press("Escape")
