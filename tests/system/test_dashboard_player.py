"""The player of the dashboard: keys, links with a time, clips, full screen, and the phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.frames import probe
from support.matches import FPS
from support.matchserver import SECONDS, match_server
from support.server import Server
from support.watching import root

MATCH = "2026-11-29 Pokal"
TITLE = "SV Süd – FC Nord"
PAGE = f"/matches/{quote(MATCH)}"
LANDSCAPE = {"width": 844, "height": 390}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with match_server(tmp_path_factory.mktemp("server"), MATCH) as running:
        yield running


@pytest.fixture
def board(chromium: Browser, server: Server) -> Iterator[Dashboard]:
    with dashboard(chromium, root(server)) as made:
        yield made
        assert made.faults == []


@pytest.fixture
def phone(chromium: Browser, server: Server) -> Iterator[Dashboard]:
    with dashboard(chromium, root(server), viewport=PHONE, has_touch=True) as made:
        yield made
        assert made.faults == []


def line(page: Page) -> Locator:
    return page.get_by_role("slider", name="Time of the match")


def opened(board: Dashboard, query: str = "") -> Page:
    """The page of the match, with footage that can be sought."""
    page = board.go(f"{PAGE}{query}")
    expect(line(page)).to_have_attribute("aria-valuemax", str(SECONDS))
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2")
    return page


def at(page: Page, number: int = 0) -> float:
    """Where a picture is."""
    return float(page.locator("video").nth(number).evaluate("video => video.currentTime"))


def is_at(page: Page, seconds: float, within: float = 0.2) -> None:
    """Every picture gets there."""
    page.wait_for_function(
        """([wanted, within]) => [...document.querySelectorAll("video")].every((video) =>
            !video.seeking && Math.abs(video.currentTime - wanted) <= within)""",
        arg=[seconds, within],
    )


def time_in_the_address(page: Page) -> float:
    found = re.search(r"[?&]t=([\d.]+)", page.url)
    assert found, page.url
    return float(found[1])


def test_keys_drive_playback(board: Dashboard, server: Server) -> None:
    page = opened(board)
    expect(page.locator("video")).to_have_count(2)
    page.keyboard.press("k")
    expect(board.button("Pause")).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    page.keyboard.press("Space")
    expect(board.button(re.compile("^Play$"))).to_be_visible()

    line(page).press("Home")
    is_at(page, 0)
    page.keyboard.press("i")
    for key, seconds in (("l", 10), ("ArrowRight", 15), ("ArrowLeft", 10), ("j", 0), ("l", 10)):
        page.keyboard.press(key)
        is_at(page, seconds)
    page.keyboard.press("o")
    expect(page.get_by_text("Length 0:10.0")).to_be_visible()
    step_by_frames(page)

    page.keyboard.press("m")
    expect(page.get_by_text("Moment marked at 0:10")).to_be_visible()
    board.button("Remove Moment at 0:10").click()
    board.button(re.compile("^Remove$")).click()
    expect(board.button("Remove Moment at 0:10")).to_have_count(0)
    page.get_by_label("Note").press_sequentially("klm")
    is_at(page, 10)
    assert len(server.get(f"/recordings/{MATCH}/markers")["markers"]) == 2


def step_by_frames(page: Page) -> None:
    """Each step shows the next frame, and the way back is as long."""
    before = at(page)
    for number in range(1, 4):
        page.keyboard.press(".")
        is_at(page, before + number / FPS, within=0.6 / FPS)
    for number in (2, 1, 0):
        page.keyboard.press(",")
        is_at(page, before + number / FPS, within=0.6 / FPS)


def test_the_list_of_keys_opens_and_switches_them_off(board: Dashboard) -> None:
    page = opened(board)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("10 seconds back")
    assert board.violations() == []
    dialog.get_by_role("switch", name="Use these keys").click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("l")
    page.wait_for_timeout(500)
    is_at(page, 0)


def test_a_link_opens_at_its_time_and_a_reload_keeps_time_and_picture(board: Dashboard) -> None:
    page = opened(board, "?t=12&view=RIGHT")
    expect(page.locator("video")).to_have_count(1)
    expect(page.locator("video")).to_have_attribute("aria-label", "RIGHT")
    is_at(page, 12)
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 13.5")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').paused")
    page.wait_for_function("at => !location.hash.includes(`t=${at}&`)", arg=12)
    stopped = at(page)
    assert time_in_the_address(page) == pytest.approx(stopped, abs=0.4)

    page.get_by_role("radio", name="LEFT").check()
    page.reload()
    expect(page.locator("video")).to_have_attribute("aria-label", "LEFT")
    is_at(page, stopped, within=0.4)

    # The address of another moment of the same match is followed, too.
    page.evaluate("() => { location.hash = location.hash.replace(/t=[^&]*/, 't=4') }")
    is_at(page, 4)


def test_a_link_is_copied_for_people_and_for_players(board: Dashboard) -> None:
    page = opened(board)
    board.context.grant_permissions(["clipboard-read", "clipboard-write"])
    board.button("Copy link to Corner at 0:15").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).endsWith('?t=15')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{board.origin}/#{PAGE}?t=15"
    page.get_by_text("For other players and programs").click()
    board.button("Copy link to LEFT").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('/vod/')")


def test_one_tap_on_a_marker_saves_its_clip(board: Dashboard, tmp_path: Path) -> None:
    page = opened(board)
    with page.expect_download() as download:
        board.button("Save clip: Goal at 0:03").click()
    assert download.value.suggested_filename == f"{TITLE} 0-03.mp4"
    download.value.save_as(tmp_path / "clip.mp4")
    (stream,) = probe(tmp_path / "clip.mp4")["streams"]
    assert float(stream["duration"]) == pytest.approx(7, abs=0.1)
    expect(page.get_by_text(f"Saved: {TITLE} 0-03.mp4")).to_be_visible()
    board.button("Go to Corner at 0:15").click()
    is_at(page, 12)
    assert board.violations() == []


def test_highlights_are_made_of_the_markers_and_saved(board: Dashboard, tmp_path: Path) -> None:
    page = opened(board)
    board.button("Make highlights (2)").click()
    save = board.button("Save highlights")
    expect(save).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == f"{TITLE}, Highlights.mp4"
    download.value.save_as(tmp_path / "reel.mp4")
    (stream,) = probe(tmp_path / "reel.mp4")["streams"]
    assert float(stream["duration"]) == pytest.approx(7 + 12, abs=0.3)


def test_full_screen_is_entered_and_left_and_its_controls_hide(board: Dashboard) -> None:
    page = opened(board)
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement?.querySelector('video')")
    inside = page.evaluate(
        "() => document.fullscreenElement.contains(document.querySelector('[role=slider]'))"
    )
    assert inside
    assert board.violations() == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    board.button(re.compile("^Close$")).click()
    page.evaluate("document.activeElement.blur()")
    board.page.keyboard.press("k")
    idle = page.locator("[data-full][data-idle]")
    expect(idle).to_be_attached()
    line(page).focus()
    page.keyboard.press("Home")
    expect(idle).to_have_count(0)
    page.wait_for_timeout(3500)  # what has the focus of the keyboard stays in sight
    controls = line(page).locator("..")
    expect(controls).to_have_css("opacity", "1")
    board.button("Leave full screen").click()
    page.wait_for_function("() => document.fullscreenElement === null")
    expect(board.button("Full screen")).to_be_visible()


VISIBLE = """() => {
    const video = document.querySelector("video");
    const box = video.getBoundingClientRect();
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        within: Math.min(box.top, box.left) >= 0
            && box.right <= innerWidth && box.bottom <= innerHeight,
        uncovered: over === video,
    };
}"""


def in_sight(page: Page) -> dict[str, Any]:
    """Whether the whole picture is seen."""
    found: dict[str, Any] = page.evaluate(VISIBLE)
    return found


def test_on_a_phone_the_picture_stays_above_the_sheet(phone: Dashboard) -> None:
    page = opened(phone)
    expect(page.locator("video")).to_have_count(1)
    page.get_by_role("radio", name="RIGHT").check()
    expect(page.locator("video")).to_have_attribute("aria-label", "RIGHT")
    page.locator("main").evaluate("main => main.scrollTo(0, main.scrollHeight)")
    page.get_by_role("button", name="Clip and markers", exact=True).evaluate("b => b.click()")
    expect(phone.button("Set start")).to_be_visible()
    assert in_sight(page) == {"within": True, "uncovered": True}
    phone.button("Set start").click()
    phone.button("Go to Corner at 0:15").click()
    is_at(page, 12)
    phone.button("Set end").click()
    expect(page.get_by_text("Length 0:12.0")).to_be_visible()
    assert in_sight(page) == {"within": True, "uncovered": True}
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    assert phone.violations() == []
    phone.button("Close clip and markers").click()
    expect(phone.button("Set start")).to_have_count(0)
    assert phone.violations() == []


def turned(page: Page, size: Any) -> None:
    """The phone is turned, and the page has seen it."""
    page.set_viewport_size(size)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def test_a_phone_in_landscape_is_filled_by_the_picture(phone: Dashboard) -> None:
    page = opened(phone)
    turned(page, LANDSCAPE)
    expect(page.locator("[data-full]")).to_be_attached()
    box = page.locator("video").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (LANDSCAPE["width"], LANDSCAPE["height"])
    phone.button("Leave full screen").click()
    expect(page.locator("[data-full]")).to_have_count(0)
    turned(page, PHONE)
    turned(page, LANDSCAPE)
    expect(page.locator("[data-full]")).to_be_attached()
