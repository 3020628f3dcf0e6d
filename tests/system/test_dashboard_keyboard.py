"""The tasks of an operator by keyboard alone; what has the focus can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from support.dashboard import Dashboard, dashboard
from support.engineserver import EngineServer
from support.keyboard import tab_to
from support.server import wait_for


@pytest.fixture
def board(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin, theme="dark") as made:
        yield made
        assert made.faults == []


def test_the_fleet_is_sized_and_an_engine_drained(board: Dashboard, server: EngineServer) -> None:
    page = board.go("/engines")
    tab_to(page, board.button("More: Number of engines"))
    page.keyboard.press("Enter")
    tab_to(page, board.button("Apply"))
    page.keyboard.press("Enter")
    wait_for(lambda: len(server.healthy()) == 2, "two engines")
    name = str(server.healthy()[0]["container_name"])
    tab_to(page, board.button(f"Actions for {name}"))
    page.keyboard.press("Enter")
    drain = page.get_by_role("menuitem", name="Drain")
    expect(drain).to_be_visible()
    assert board.violations() == []
    page.keyboard.type("Drain")
    expect(drain).to_be_focused()
    page.keyboard.press("Enter")
    question = page.get_by_role("alertdialog")
    expect(question).to_be_visible()
    assert board.violations() == []
    tab_to(page, question.get_by_role("button", name="Drain"))
    page.keyboard.press("Enter")
    wait_for(lambda: name not in names(server), "the engine is drained")


def names(server: EngineServer) -> set[str]:
    return {str(engine["container_name"]) for engine in server.healthy()}


def test_a_setting_is_switched_and_the_machine_checked(board: Dashboard) -> None:
    page = board.go("/system?tab=settings")
    switch = page.get_by_role("switch").first
    before = switch.get_attribute("aria-checked")
    tab_to(page, switch)
    page.keyboard.press("Space")
    expect(switch).not_to_have_attribute("aria-checked", str(before))
    assert board.violations() == []
    expect(switch).to_be_focused()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", str(before))


def test_the_cameras_are_calibrated(board: Dashboard) -> None:
    page = board.go("/panorama")
    tab_to(page, board.button("Start calibration"))
    page.keyboard.press("Enter")
    tab_to(page, board.button("Capture 12 picture pairs"))
    page.keyboard.press("Enter")
    over = page.locator(".page-head .badge.good, [role=alert]")
    expect(over.first).to_have_text(re.compile("^Calibration 1"), timeout=120_000)
    assert board.violations() == []
    tab_to(page, board.button("Use this"))
    page.keyboard.press("Enter")


def test_a_recording_is_started_marked_and_stopped(board: Dashboard, server: EngineServer) -> None:
    page = board.go("/")
    tab_to(page, board.button("Start recording"))
    page.keyboard.press("Enter")
    expect(page.locator(".state-word")).to_have_text("Recording")
    wait_for(lambda: server.status()["duration"] > 1, "a second old")
    tab_to(page, board.button("now"))
    page.keyboard.press("Enter")
    tab_to(page, board.button("Goal"))
    page.keyboard.press("Enter")
    marks = page.get_by_role("region", name="Mark a moment")
    expect(marks.get_by_role("status")).to_contain_text("Goal at 0:")
    assert board.violations() == []
    tab_to(page, board.button("Stop recording"))
    page.keyboard.press("Enter")
    for action in ("Stop recording", "Stop anyway"):
        question = page.get_by_role("alertdialog")
        tab_to(page, question.get_by_role("button", name=action, exact=True))
        page.keyboard.press("Enter")
    verdict = page.get_by_role("region", name="Last recording")
    expect(verdict).to_contain_text("Match saved")
    assert board.violations() == []
