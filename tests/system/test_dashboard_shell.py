"""The frame of the dashboard: the way between the pages, the language and the colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer
from support.server import wait_for

FINGER_PX = 44
MATCH = "2026-11-27 Lions - Tigers"
MESSAGES = Path(__file__).parents[2] / "dashboard" / "src" / "messages" / "en"
PAGES = ("/", "/matches", "/preview", "/panorama", "/engines", "/system")
SEEN_AND_READ = """() => {
    const texts = [document.body.innerText];
    for (const each of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
        for (const name of ["aria-label", "title", "placeholder"]) {
            texts.push(each.getAttribute(name) ?? "");
        }
    }
    return texts.join("\\n");
}"""


SMALL_TARGETS = """(least) => {
    const found = [];
    const places = "button, a[href], summary, select, input, textarea, [role=tab], [role=switch]";
    for (const each of document.querySelectorAll(places)) {
        if (!each.checkVisibility({visibilityProperty: true}) || each.matches(".sr-only")) continue;
        // A box that is ticked is as large as what is tapped with it, a card as what opens it.
        const laid = getComputedStyle(each, "::after");
        const covers = laid.position === "absolute" && laid.content !== "none";
        const target = each.closest("label, .check") ?? (covers ? each.offsetParent : each);
        const box = target.getBoundingClientRect();
        if (box.width === 0 || box.right <= 0) continue;
        // A link in a sentence is as high as its line.
        const parent = each.parentElement;
        const said = (element) => element.textContent.trim();
        if (each.matches("a") && getComputedStyle(each).display === "inline"
            && said(parent) !== said(each)) continue;
        if (box.height < least) found.push(`${each.tagName} ${said(each)} ${box.height}`);
    }
    return found;
}"""


@pytest.fixture
def phone(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin, viewport=PHONE, has_touch=True, is_mobile=True) as made:
        yield made
        assert made.faults == []


def heights(controls: Locator) -> list[float]:
    found: list[float] = controls.evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().height)"
    )
    return found


def test_a_phone_has_four_entries_in_reach_and_the_rest_behind_the_last(phone: Dashboard) -> None:
    page = phone.go("/")
    entries = page.get_by_role("navigation", name="Pages")
    reach = entries.locator("a, button[aria-haspopup]")
    expect(reach).to_have_text(["Match day", "Matches", "Preview", "More"])
    assert min(heights(reach)) >= FINGER_PX
    expect(entries.locator("[aria-current=page]")).to_have_text("Match day")
    more = entries.get_by_role("button", name="More")
    more.tap()
    sheet = page.get_by_role("dialog", name="More")
    expect(sheet.get_by_role("link")).to_have_text(["Panorama", "Engines", "System"])
    assert min(heights(sheet.locator("a, button, input"))) >= FINGER_PX
    assert phone.violations() == []
    sheet.get_by_role("link", name="Engines").tap()
    expect(sheet).to_have_count(0)
    expect(page.locator("main")).to_be_focused()
    expect(page.locator("main h1")).to_have_text("Engines")
    expect(page).to_have_title("Engines · touchline")
    expect(more).to_have_attribute("aria-current", "true")


def test_what_is_behind_more_is_reached_and_left_by_keyboard(phone: Dashboard) -> None:
    page = phone.go("/matches")
    more = page.get_by_role("button", name="More", exact=True)
    more.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="More")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    sheet.get_by_role("link", name="System").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main h1")).to_have_text("System")
    page.reload()
    expect(page.locator("main h1")).to_have_text("System")


def test_a_language_is_chosen_once_and_kept_on_the_device(
    chromium: Browser, server: EngineServer
) -> None:
    with dashboard(chromium, server.origin) as board:
        page = board.go("/matches")
        page.get_by_role("radio", name="Deutsch").check()
        expect(page.get_by_role("navigation", name="Seiten")).to_be_visible()
        expect(page).to_have_title("Spiele · touchline")
        expect(page.get_by_role("radio", name="Deutsch")).to_be_focused()
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.get_by_role("link", name="Spieltag", exact=True)).to_be_visible()
        assert board.violations() == []
        page.get_by_role("radio", name="English").check()
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        assert board.faults == []


def english() -> set[str]:
    """Return the texts of the English catalogue that have more than two words."""
    texts: set[str] = set()
    for file in MESSAGES.glob("*.ts"):
        source = file.read_text()
        texts.update(re.findall(r'"((?:[^"\\\n]|\\.)*)"', source))
        for template in re.findall(r"`([^`]*)`", source):
            texts.update(part.strip() for part in re.split(r"\$\{[^}]*\}", template))
    return {text for text in texts if len(text.split()) > 2}


def test_german_is_chosen_once_and_all_pages_are_in_it(
    chromium: Browser, server: EngineServer
) -> None:
    texts = english()
    assert len(texts) > 100
    with dashboard(chromium, server.origin) as board:
        page = board.go("/")
        page.get_by_role("radio", name="Deutsch").check()
        expect(page.get_by_role("navigation", name="Seiten")).to_be_visible()
        expect(page).to_have_title("Spieltag · touchline")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        for path in PAGES:
            board.go(path)
            expect(page.locator("[data-loading]:visible")).to_have_count(0)
            shown = page.evaluate(SEEN_AND_READ)
            assert {text for text in texts if text in shown} == set(), path
            assert board.violations() == [], path
        page.get_by_role("radio", name="English").check()
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        assert board.faults == []


def test_whatever_a_thumb_taps_is_large_enough_on_every_page(
    phone: Dashboard, server: EngineServer
) -> None:
    server.client.post("/recording", json={"match_id": MATCH}).raise_for_status()
    wait_for(lambda: server.status()["duration"] > 2, "filmed", 30)
    marked = {"kind": "goal", "at": 1}
    server.client.post(f"/recordings/{MATCH}/markers", json=marked).raise_for_status()
    server.client.delete("/recording", params={"force": True}).raise_for_status()
    tabs = [
        *(f"/engines?tab={name}" for name in ("activity", "streams", "vpn", "variant")),
        *(f"/system?tab={name}" for name in ("logs", "events", "hardware", "settings", "check")),
    ]
    small: dict[str, list[str]] = {}
    for path in (*PAGES, *tabs, f"/matches/{MATCH}", "/panorama?step=aim"):
        page = phone.go(path)
        expect(page.locator("[data-loading]:visible")).to_have_count(0)
        if found := page.evaluate(SMALL_TARGETS, FINGER_PX):
            small[path] = found
    assert not small, "\n".join(f"{path}: {found}" for path, found in small.items())
