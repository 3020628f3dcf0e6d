"""Metrics, logs, settings, live pictures and the calibration, on a phone and on a desk."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.dashboard import PHONE, Dashboard, dashboard, whole_server
from support.engineserver import EngineServer
from support.server import wait_for

MATCH = "2026-11-27 Lions - Tigers - District Cup"
DAY_S = 86_400
LANDSCAPE = {"width": 844, "height": 390}

IS_SHADED = """() => {
    const charts = [...document.querySelectorAll(".uplot canvas")];
    return charts.length > 0 && charts.every((canvas) => {
        const { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        const columns = new Array(width).fill(0);
        for (let at = 3; at < data.length; at += 4) {
            // A match is the accent colour at 18 %.
            if (data[at] > 40 && data[at] < 52) columns[((at - 3) / 4) % width] += 1;
        }
        return columns.some((pixels) => pixels > height / 3);
    });
}"""


def keep_a_week(folder: Path) -> None:
    """A history as the server saves it, of a boot before: three days with a figure each hour."""
    now = time.time()
    hours = [now - 3 * DAY_S + n * 3600 for n in range(72)]
    week = [[at, [20.0 + n % 40, 50.0, 60.0, None, 1.0, 0.0]] for n, at in enumerate(hours)]
    names = [
        *("cpu_percent", "memory_percent", "disk_percent"),
        *("temperature_c", "engines", "streams"),
    ]
    saved = {
        "version": 1,
        "boot_id": "a boot before",
        "offset_s": 0.0,
        "names": names,
        "rings": {"week": {"step_s": 840, "before": week, "now": []}},
    }
    (folder / "metrics-history.json").write_text(json.dumps(saved))


@pytest.fixture(scope="module")
def server(two_views: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    folder = tmp_path_factory.mktemp("server")
    keep_a_week(folder)
    with whole_server(folder, two_views) as running:
        yield running


@pytest.fixture
def board(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin) as made:
        yield made
        assert made.faults == []


@pytest.fixture
def phone(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin, viewport=PHONE, has_touch=True) as made:
        yield made
        assert made.faults == []


def a_match(server: EngineServer) -> None:
    """A match of some seconds, recorded once."""
    if MATCH in server.get("/recordings")["recordings"]:
        return
    server.record(MATCH)
    wait_for(lambda: server.status()["duration"] >= 3, "3 s old")
    server.client.delete("/recording", params={"force": True}).raise_for_status()


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_week_of_metrics_shades_its_matches_and_lists_them(
    size: str, server: EngineServer, request: pytest.FixtureRequest
) -> None:
    a_match(server)
    board: Dashboard = request.getfixturevalue("board" if size == "desk" else "phone")
    page = board.go("/system")
    board.button("Last week").click()
    chart = page.get_by_role("img", name=re.compile("^Last week: CPU now"))
    expect(chart).to_have_attribute("aria-label", re.compile("Matches: Lions – Tigers"))
    page.wait_for_function(IS_SHADED)
    card = page.get_by_role("region", name="Matches in this time")
    expect(card.get_by_role("link", name="Lions – Tigers")).to_be_visible()
    assert "range=week" in page.url
    page.reload()
    expect(board.button("Last week")).to_have_attribute("aria-pressed", "true")
    expect(chart).to_be_visible()
    assert board.violations() == []
    card.get_by_role("link", name="Lions – Tigers").click()
    expect(page.get_by_role("heading", name=re.compile("Lions . Tigers"))).to_be_visible()


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_filters_of_logs_and_events_survive_a_reload(
    size: str, server: EngineServer, request: pytest.FixtureRequest
) -> None:
    a_match(server)
    board: Dashboard = request.getfixturevalue("board" if size == "desk" else "phone")
    page = board.go("/system?tab=logs")
    log = page.get_by_role("combobox", name="Log", exact=True)
    level = page.get_by_role("combobox", name="Level")
    search = page.get_by_label("Only lines with")
    log.select_option("watchdog")
    search.fill("was started")
    expect(page.get_by_role("log")).to_contain_text("was started")
    page.reload()
    expect(log).to_have_value("watchdog")
    expect(search).to_have_value("was started")
    level.select_option("alerts")
    expect(page.get_by_role("log")).to_have_text("No line matches this filter.")

    # All of them, with links to the matches that they name, and to be saved.
    search.fill(MATCH)
    level.select_option("all")
    log.select_option("all")
    line = page.get_by_role("log").get_by_role("link", name="Match: Lions – Tigers").first
    expect(line).to_be_visible()
    with page.expect_download() as download:
        board.button("Download").click()
    assert download.value.suggested_filename.startswith("touchline All logs ")
    whole = Path(download.value.path()).read_text()
    assert MATCH in whole
    assert "# cam0.log" in whole
    assert board.violations() == []
    the_files_of_programs_are_there_too(board, server)

    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    page.get_by_label("Search").fill(MATCH)
    about = page.locator("tbody").get_by_role("link", name="Match Lions – Tigers").first
    expect(about).to_be_visible()
    page.reload()
    expect(page.get_by_label("Search")).to_have_value(MATCH)
    about.click()
    expect(page.get_by_role("heading", name=re.compile("Lions . Tigers"))).to_be_visible()


def the_files_of_programs_are_there_too(board: Dashboard, server: EngineServer) -> None:
    """Each camera's under the camera's name; errors in red, also those that are written now."""
    page = board.page
    log = page.get_by_role("combobox", name="Log", exact=True)
    page.get_by_label("Only lines with").fill("")
    log.select_option(label="Server")
    expect(page.get_by_role("log")).to_contain_text("INFO touchline.server: touchline")
    log.select_option(label="LEFT")
    expect(page.get_by_role("log")).to_be_visible()
    with (server.data / "logs" / "cam0.log").open("a") as file:
        file.write("2026-11-27T14:02:39.104Z cam0 INFO recording\n")
        file.write("2026-11-27T14:02:40.104Z cam0 ERROR the writer failed\n  Traceback\n")
    expect(page.get_by_role("log")).to_contain_text("cam0 INFO recording")
    page.get_by_role("combobox", name="Level").select_option("alerts")
    line = page.get_by_role("log").get_by_text("the writer failed").last
    expect(line).to_have_class(re.compile("alert"))
    expect(page.get_by_role("log")).not_to_contain_text("cam0 INFO")
    with page.expect_download() as download:
        board.button("Download").click()
    assert download.value.suggested_filename.startswith("touchline LEFT ")
    assert "cam0 INFO" in Path(download.value.path()).read_text(), "the whole of it"


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_setting_that_is_refused_says_so_at_its_field(
    size: str, server: EngineServer, request: pytest.FixtureRequest
) -> None:
    board: Dashboard = request.getfixturevalue("board" if size == "desk" else "phone")
    page = board.go("/system?tab=settings")
    field = page.get_by_label("Live frame rate (fps)")
    expect(field).to_have_value("15")
    type_and_leave(page, "Live frame rate (fps)", "99")
    expect(page.get_by_role("alert")).to_have_text("1 to 60")
    expect(field).to_have_value("15")

    def refuse(route: Route) -> None:
        if route.request.method == "PUT":
            answer = {"detail": "The disk cannot be written to", "code": "disk_failed"}
            route.fulfill(status=503, json=answer)
        else:
            route.continue_()

    page.route("**/api/v1/panorama/config", refuse)
    type_and_leave(page, "Live frame rate (fps)", "20")
    expect(page.get_by_role("alert")).to_contain_text("The disk cannot be written to")
    expect(field).to_have_value("15")
    assert server.get("/panorama/config")["performance"]["preview_fps_target"] == 15
    assert page.locator("[data-toast=bad]").count() == 0

    page.unroute("**/api/v1/panorama/config")
    type_and_leave(page, "Live frame rate (fps)", "12")
    wait_for(
        lambda: server.get("/panorama/config")["performance"]["preview_fps_target"] == 12, "saved"
    )
    expect(page.get_by_role("alert")).to_have_count(0)
    server.client.put("/panorama/config", json={"preview_fps_target": 15}).raise_for_status()


def type_and_leave(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label)
    field.fill(text)
    field.blur()


def test_the_choice_of_pictures_and_aids_is_in_the_address(
    chromium: Browser, server: EngineServer
) -> None:
    how: dict[str, Any] = {"viewport": LANDSCAPE, "has_touch": True}
    with dashboard(chromium, server.origin, **how) as board:
        page = board.go("/preview")
        board.plays("LEFT")
        page.get_by_role("button", name="LEFT", exact=True).click()
        board.button("Grid").click()
        expect(page.locator("video")).to_have_count(1)
        page.reload()
        board.plays("LEFT")
        expect(page.locator("video")).to_have_count(1)
        expect(page.locator("[data-via] > svg path").first).to_be_attached()
        # A phone that is held sideways shows the whole of it.
        box = page.locator("[data-via]").bounding_box()
        assert box is not None
        assert box["height"] <= LANDSCAPE["height"]
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        with page.expect_download() as download:
            board.button("Snapshot of LEFT").click()
        assert re.fullmatch(r"[\d-]{10} LEFT [\d.]+\.jpg", download.value.suggested_filename)
        page.get_by_role("button", name="Panorama", exact=True).click()
        expect(page.get_by_text("The panorama is not calibrated yet")).to_be_visible()
        assert board.violations() == []
        assert board.faults == []


def aim_and_capture(board: Dashboard) -> Page:
    """The guide with both cameras live, and then at its pairs."""
    page = board.go("/panorama")
    board.button("Start calibration").click()
    for label in ("LEFT", "RIGHT"):
        board.plays(label)
    expect(page.locator("[data-via] > svg rect")).to_have_count(2)
    assert board.violations() == []
    board.button("Capture 12 picture pairs").click()
    return page


def test_the_calibration_is_guided_and_the_old_one_can_be_kept(
    board: Dashboard, phone: Dashboard, server: EngineServer
) -> None:
    page = aim_and_capture(board)
    expect(page.get_by_text("12 of 12", exact=True)).to_be_visible(timeout=120_000)
    expect(board.button("Use this")).to_be_visible(timeout=60_000)
    assert "step=compare" in page.url
    expect(page.locator(".page-head .badge")).to_have_text("Calibration 1")
    assert board.violations() == []
    board.button("Use this").click()
    expect(board.button("Start calibration")).to_be_visible()

    page = aim_and_capture(phone)
    expect(page.get_by_text(re.compile(r"^[2-9] of 12$"))).to_be_visible(timeout=60_000)
    page.reload()
    phone.button("Continue").click()
    expect(page.get_by_text("12 of 12", exact=True)).to_be_visible(timeout=120_000)
    expect(page.get_by_role("region", name="Before: calibration 1")).to_be_visible(timeout=60_000)
    after = page.get_by_role("region", name="After: calibration 2")
    expect(after).to_contain_text("Alignment error")
    expect(after).to_contain_text("in use")
    page.reload()
    expect(after).to_be_visible()
    assert phone.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    phone.button("Before, live").click()
    phone.plays("Before: calibration 1")
    phone.button("Keep the old one").click()
    expect(page.locator(".page-head .badge")).to_have_text("Calibration 1")
    assert server.get("/panorama/calibration")["version"] == 1
    assert len(server.get("/panorama/calibrations")["calibrations"]) == 2
