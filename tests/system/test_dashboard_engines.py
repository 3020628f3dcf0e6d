"""An operator of engines in the dashboard: a real server, a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Locator, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer


@pytest.fixture
def board(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin) as made:
        yield made
        assert made.faults == []


def test_provision_stream_scale_drain_and_reprovision(
    board: Dashboard, server: EngineServer
) -> None:
    page = board.go("/engines")
    cards = page.locator(".columns > .card")
    provision(board, cards)
    play_and_stop(board, server)
    scale_and_drain(board, cards)
    reprovision(board, server)
    delete_and_collect(board, server)


def provision(board: Dashboard, cards: Locator) -> None:
    page = board.page
    expect(cards).to_have_count(1)
    board.button("Start with options").click()
    page.get_by_label("Labels").fill("team=video")
    page.get_by_role("dialog").get_by_role("button", name="Start engine").click()
    board.told("is ready on port")
    expect(cards).to_have_count(2)
    expect(page.locator(".columns .badge", has_text="healthy")).to_have_count(2)


def play_and_stop(board: Dashboard, server: EngineServer) -> None:
    page = board.page
    engine = server.healthy()[0]
    server.play({**engine, "host_http_port": engine["port"]}, "0a48", stream_id="ch-42")
    page.get_by_role("tab", name="Streams").click()
    row = page.locator("tbody tr", has_text="ch-42")
    expect(row).to_contain_text("0a48")
    row.get_by_role("link", name="Simulated match").click()
    expect(page.get_by_role("heading", name="Simulated match")).to_be_visible()
    expect(page.get_by_text("ch-42", exact=True)).to_be_visible()
    expect(page.locator(".uplot")).to_have_count(2)
    assert board.violations() == []
    board.button("Stop").click()
    board.confirm("Stop")
    expect(page.locator(".page-head .badge")).to_have_text("ended")
    expect(page.get_by_text(re.compile("stopped here"))).to_be_visible()


def scale_and_drain(board: Dashboard, cards: Locator) -> None:
    page = board.go("/engines")
    board.button("More: Number of engines").click(click_count=2)
    board.button("Apply").click()
    expect(cards).to_have_count(3)
    name = cards.first.get_by_role("heading").inner_text()
    board.button(f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Drain").click()
    board.confirm("Drain")
    expect(page.get_by_role("heading", name=name, exact=True)).to_have_count(0)
    expect(cards).to_have_count(3)


def reprovision(board: Dashboard, server: EngineServer) -> None:
    """Engines are made anew with parameters of the operator's."""
    page = board.page
    before = {each["container_id"] for each in server.engines()}
    page.get_by_role("tab", name="Variant").click()
    page.get_by_label("Find a parameter").fill("live-buffer")
    page.get_by_label("Value of --live-buffer").fill("12")
    page.get_by_label("Start engines with these settings").click()
    board.button(re.compile("^Save$")).click()
    board.told("Settings saved")
    page.get_by_label("Name of the template").fill("Long buffer")
    board.button("Save as template").click()
    expect(board.button("Use Long buffer")).to_be_enabled()
    assert board.violations() == []
    board.button("Replace all engines").click()
    board.confirm("Replace all")
    server.until(lambda: not before & {each["container_id"] for each in server.engines()})
    server.until(
        lambda: server.ask("GET", "/custom-variant/reprovision/status")["status"] == "success"
    )
    expect(page.get_by_text("All 3 engines have been replaced").first).to_be_visible()


def delete_and_collect(board: Dashboard, server: EngineServer) -> None:
    """The engine that takes the place of a deleted one has its name."""
    page = board.page
    page.get_by_role("tab", name="Fleet").click()
    page.get_by_role("radio", name="Table").check()
    expect(page.locator("tbody tr")).to_have_count(3)
    name = page.locator("tbody tr").first.get_by_role("rowheader").inner_text()
    (deleted,) = [e["container_id"] for e in server.engines() if e["container_name"] == name]
    board.button(f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Delete").click()
    board.confirm("Delete")
    server.until(lambda: deleted not in {each["container_id"] for each in server.engines()})
    expect(page.locator("tbody tr")).to_have_count(3)
    page.reload()
    expect(page.locator("tbody tr").first).to_be_visible()  # the view is in the address
    board.button("Remove idle engines").click()
    board.confirm("Remove idle engines")
    board.told("No engine has been idle for long enough")


@pytest.fixture(params=["desk", "phone"])
def either(
    request: pytest.FixtureRequest, chromium: Browser, server: EngineServer
) -> Iterator[Dashboard]:
    """The page on a desk and on a phone."""
    how = {"viewport": PHONE, "has_touch": True} if request.param == "phone" else {}
    with dashboard(chromium, server.origin, **how) as made:
        yield made
        assert made.faults == []


def test_an_engine_that_is_killed_is_told_with_its_replacement_reason_and_duration(
    either: Dashboard, server: EngineServer
) -> None:
    page = either.go("/engines?tab=activity")
    expect(page.get_by_role("list", name="Activity")).to_be_visible()
    victim = server.until(server.healthy)[0]
    name = str(victim["container_name"])
    server.kill_engine(victim["container_id"])
    told = page.locator("li", has_text=re.compile(rf"{name} stopped unexpectedly \(exit \d+\)"))
    expect(told).to_have_count(1)
    expect(told).to_contain_text(re.compile(r"→ replaced by \S+ in [\d.]+ s"))
    assert either.violations() == []

    # The sheet of the engine that is gone has the same, after a reload, too.
    told.get_by_role("button", name=name, exact=True).click()
    for _ in range(2):
        sheet = page.get_by_role("dialog", name=name)
        expect(sheet.get_by_text(re.compile("stopped unexpectedly"))).to_be_visible()
        expect(sheet.get_by_text("This engine no longer runs.")).to_be_visible()
        assert either.violations() == []
        page.reload()
    page.get_by_role("dialog").get_by_role("link", name="Open in Activity").click()
    expect(page.get_by_role("combobox", name="Engine")).to_have_value(victim["container_id"])
    expect(told).to_have_count(1)
    expect(page.get_by_text("Starting 1 engine:")).to_have_count(0)


def test_the_size_is_stepped_without_a_question_and_its_limits_are_said(
    either: Dashboard, server: EngineServer
) -> None:
    def target() -> int:
        return int(server.ask("GET", "/orchestrator/status")["capacity"]["target"])

    page = either.go("/engines")
    size = page.get_by_label("Number of engines", exact=True)
    size.fill("9")
    size.press("Enter")
    expect(page.get_by_text("Maximum is 6")).to_be_visible()
    size.fill("1")
    size.press("Enter")
    expect(page.get_by_text("Minimum is 1")).to_be_visible()
    if either.button("Apply").is_enabled():
        either.button("Apply").click()
    server.until(lambda: target() == 1)
    expect(either.button("Apply")).to_be_disabled()
    either.button("More: Number of engines").click()
    expect(page.get_by_text("2 of 6").last).to_be_visible()
    either.button("Apply").click()
    server.until(lambda: target() == 2)
    server.until(lambda: len(server.healthy()) >= 2)
    expect(size).to_have_value("2")
    expect(page.get_by_role("alertdialog")).to_have_count(0)


def test_unsaved_settings_survive_a_reload_and_are_not_left_without_a_question(
    either: Dashboard,
) -> None:
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    either.go("/matches")
    page = either.go("/engines?tab=variant")
    page.on("dialog", answer)
    field = page.get_by_label("Value of --vod-buffer")
    field.fill("4000")
    field.blur()
    expect(page.get_by_text("Must be 0 to 3,600. Back to 5.")).to_be_visible()
    expect(field).to_have_value("5")
    field.fill("17")
    expect(page.get_by_text("not saved", exact=True)).to_be_visible()
    page.reload()
    assert asked == ["beforeunload"]
    expect(field).to_have_value("17")
    expect(page.get_by_text("not saved", exact=True)).to_be_visible()
    assert either.violations() == []
    page.get_by_role("tab", name="Streams").click()
    either.confirm("Stay")
    expect(field).to_have_value("17")
    the_way_back_asks_too(either, field)
    page.get_by_role("link", name="Matches", exact=True).first.click()
    either.confirm("Leave")
    expect(page.get_by_role("heading", name="Matches", level=1)).to_be_visible()
    page.go_back()
    expect(field).to_have_value("17")
    either.button("Discard").click()
    expect(field).to_have_value("5")


def the_way_back_asks_too(board: Dashboard, field: Locator) -> None:
    """So does an address that is typed; whoever leaves finds the changes again."""
    page = board.page
    for step in ("history.back()", "location.hash = '#/system'"):
        page.evaluate(step)
        board.confirm("Stay")
        expect(page.get_by_role("alertdialog")).to_have_count(0)
        expect(field).to_have_value("17")
        assert page.url.endswith("#/engines?tab=variant")
    page.evaluate("location.hash = '#/system'")
    board.confirm("Leave")
    expect(page.get_by_role("heading", name="System", level=1)).to_be_visible()
    page.go_back()
    expect(field).to_have_value("17")
    page.evaluate("history.back()")
    board.confirm("Leave")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Engines")
    page.evaluate("location.hash = '#/engines?tab=variant'")
    expect(field).to_have_value("17")


def test_an_engine_is_started_with_options_drained_and_its_stream_stopped(
    either: Dashboard, server: EngineServer
) -> None:
    server.ask("POST", "/scale/2")  # another test may have left as many as there can be
    server.until(lambda: len(server.engines()) <= 3)
    page = either.go("/engines")
    before = {str(engine["container_id"]) for engine in server.engines()}
    either.button("Start with options").click()
    page.get_by_label("Labels").fill("team=video")
    assert either.violations() == []
    page.get_by_role("dialog").get_by_role("button", name="Start engine").click()
    either.told("is ready on port")
    server.until(lambda: {str(e["container_id"]) for e in server.healthy()} - before)
    engine = next(e for e in server.healthy() if e["container_id"] not in before)
    server.play({**engine, "host_http_port": engine["port"]}, "0a48", stream_id="ch-77")
    page.get_by_role("tab", name="Streams").click()
    row = page.locator("tbody tr", has_text="ch-77")
    assert either.violations() == []
    row.get_by_role("link", name="Simulated match").click()
    expect(page.get_by_role("heading", name="Simulated match")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    either.button("Stop").click()
    either.confirm("Stop")
    expect(page.locator(".page-head .badge")).to_have_text("ended")
    either.go("/engines")
    name = str(engine["container_name"])
    either.button(f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Drain").click()
    either.confirm("Drain")
    expect(page.get_by_role("heading", name=name, exact=True)).to_have_count(0)
