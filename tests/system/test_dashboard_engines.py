"""An operator of engines in the dashboard: a real server, a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from support.dashboard import Dashboard, dashboard, whole_server
from support.engineserver import EngineServer


@pytest.fixture(scope="module")
def server(two_views: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    with whole_server(tmp_path_factory.mktemp("server"), two_views) as running:
        yield running


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
    delete_and_collect(board)


def provision(board: Dashboard, cards: Locator) -> None:
    page = board.page
    expect(cards).to_have_count(1)
    board.button("Provision").click()
    page.get_by_label("Labels").fill("team=video")
    page.get_by_role("dialog").get_by_role("button", name="Provision").click()
    board.told("answers on port")
    expect(cards).to_have_count(2)
    expect(page.locator(".columns .badge", has_text="healthy")).to_have_count(2)


def play_and_stop(board: Dashboard, server: EngineServer) -> None:
    page = board.page
    engine = server.healthy()[0]
    server.play({**engine, "host_http_port": engine["port"]}, "0a48", stream_id="ch-42")
    page.get_by_role("tab", name="Streams").click()
    page.get_by_role("link", name="ch-42").click()
    expect(page.get_by_role("heading", name="ch-42")).to_be_visible()
    expect(page.locator(".uplot")).to_have_count(2)
    assert board.violations() == []
    board.button("Stop").click()
    board.confirm("Stop")
    board.told("The stream was stopped")
    expect(page.locator(".page-head .badge")).to_have_text("ended")


def scale_and_drain(board: Dashboard, cards: Locator) -> None:
    page = board.go("/engines")
    page.get_by_label("How many engines").fill("3")
    board.button("Scale", within="form").click()
    board.confirm("Scale")
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
    page.get_by_label("Engines are made with these parameters").click()
    board.button("Save").click()
    board.told("saved")
    page.get_by_label("Name of the template").fill("Long buffer")
    board.button("Keep these parameters as a template").click()
    board.told("Long buffer")
    expect(page.get_by_text("Long buffer").first).to_be_visible()
    assert board.violations() == []
    board.button("Reprovision").click()
    board.confirm("Reprovision")
    board.told("Started reprovisioning of 3 engines")
    server.until(
        lambda: server.ask("GET", "/custom-variant/reprovision/status")["status"] == "success"
    )
    assert not before & {each["container_id"] for each in server.engines()}
    expect(page.get_by_text("Replaced 3 engines").first).to_be_visible()


def delete_and_collect(board: Dashboard) -> None:
    page = board.page
    page.get_by_role("tab", name="Fleet").click()
    board.button("Table").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    board.button(re.compile("Actions for")).first.click()
    page.get_by_role("menuitem", name="Delete").click()
    board.confirm("Delete")
    board.told("is deleted")
    board.button("Collect garbage").click()
    board.confirm("Collect")
    board.told("Removed")
