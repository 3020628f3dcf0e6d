"""What the dashboard shows when something is missing, on a phone and on a desk."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer, engine_server
from support.server import wait_for

ENGINES = {
    "TOUCHLINE_ENGINES__SCALING": json.dumps(
        {"min_replicas": 1, "min_free_replicas": 0, "max_replicas": 4, "lease_s": 3.0}
    ),
}
ODD_ID = "http://tracker.example:8080/list?id=1&x=a+b;c=$d,#e@f|100%25 é"

BROKEN_WORDS = """() => {
    const broken = [];
    for (const control of document.querySelectorAll("button, .badge, [role=tab]")) {
        const texts = document.createTreeWalker(control, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
            for (const word of text.data.matchAll(/\\S+/g)) {
                const range = document.createRange();
                range.setStart(text, word.index);
                range.setEnd(text, word.index + word[0].length);
                const lines = [...range.getClientRects()].map((box) => Math.round(box.top));
                if (new Set(lines).size > 1) broken.push(word[0]);
            }
        }
    }
    return broken;
}"""


WORDS_OF_THE_STATE = """() => {
    const state = document.querySelector(".state-word");
    const words = (window.wordsOfTheState = [state.textContent]);
    new MutationObserver(() => words.push(state.textContent)).observe(state, {
        characterData: true, childList: true, subtree: true,
    });
}"""


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """A camera that lets itself be connected to and says nothing, as one behind a dead link."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/silent"


@pytest.fixture(scope="module")
def server(
    two_views: str, silent: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineServer]:
    cameras = json.loads(two_views)
    cameras["1"] = {"kind": "rtsp", "name": "RIGHT", "url": silent}
    env = {"TOUCHLINE_CAPTURE__CAMERAS": json.dumps(cameras), **ENGINES}
    with engine_server(tmp_path_factory.mktemp("server"), env=env) as running:
        running.until(lambda: len(running.healthy()) >= 1)
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


def is_tried_again(server: EngineServer, camera: int, attempts: int) -> bool:
    cameras = server.client.get("/cameras").json()["cameras"]
    found = next(each for each in cameras if each["id"] == camera)
    return bool(found["attempts"] >= attempts and found["state"] == "starting")


def scrolls_itself(page: Page) -> int:
    """By how many pixels the page scrolls beside its content."""
    found: int = page.evaluate("document.scrollingElement.scrollHeight - innerHeight")
    return found


def test_a_dead_camera_is_named_and_the_match_is_recorded_with_the_other(
    phone: Dashboard, server: EngineServer
) -> None:
    page = phone.go("/")
    state = page.locator(".state-word")
    expect(state).to_have_text("Not ready: RIGHT is offline", timeout=30_000)
    page.evaluate(WORDS_OF_THE_STATE)
    # During most of an attempt the camera's state is "starting".
    wait_for(lambda: is_tried_again(server, 1, 1), "tried again")
    wait_for(lambda: is_tried_again(server, 1, 2), "tried twice")
    phone.button("Start recording").click()
    failed = page.get_by_role("alert").filter(has_text="RIGHT is offline")
    expect(failed).to_be_visible(timeout=30_000)
    expect(failed.locator("details")).not_to_have_attribute("open", re.compile(""))
    assert not server.status()["recording"]
    assert "Ready" not in page.evaluate("wordsOfTheState")
    assert phone.violations() == []
    assert page.evaluate(BROKEN_WORDS) == []

    phone.button("Record with LEFT only").click()
    expect(state).to_have_text("Recording \u2013 one camera has a problem", timeout=30_000)
    assert server.status()["require_all_cameras"] is False
    # What the state says is not told once more in a message.
    assert page.locator("[data-toast]").count() == 0
    messages_leave_the_thumb_its_place(page)

    # The loss is listed, in its colour, and the page scrolls in one place.
    happened = page.get_by_role("region", name="What happened")
    lost = happened.locator("li", has_text="RIGHT stopped recording").first
    expect(lost).to_be_visible()
    expect(lost).to_have_attribute("data-tone", "bad")
    expect(page.get_by_role("region", name="Mark a moment")).to_be_visible()
    assert scrolls_itself(page) <= 0
    assert page.evaluate(BROKEN_WORDS) == []
    server.client.delete("/recording", params={"force": True})
    expect(state).to_have_text("Not ready: RIGHT is offline", timeout=30_000)

    phone.go("/system")
    page.get_by_role("tab", name="Events").click()
    badge = page.locator("tbody .badge.bad", has_text="Camera lost")
    expect(badge.first).to_be_visible()


def messages_leave_the_thumb_its_place(page: Page) -> None:
    """A setting that is refused is told in the upper half."""
    refused = {"detail": "The settings cannot be changed now"}
    setting = "**/settings/preview-while-recording"
    page.route(setting, lambda route: route.fulfill(status=409, json=refused))
    page.get_by_role("switch", name="Allow viewers during recording").click()
    toast = page.locator("[data-toast]").first
    expect(toast).to_be_visible()
    told = toast.bounding_box()
    assert told is not None
    assert told["y"] + told["height"] <= PHONE["height"] / 2
    toast.get_by_role("button", name="Close message").click()


def test_on_a_phone_each_page_scrolls_in_one_place_and_no_word_is_broken(
    phone: Dashboard,
) -> None:
    for path in ("/", "/preview", "/matches", "/panorama", "/engines", "/system"):
        page = phone.go(path)
        expect(page.locator("[data-loading]:visible")).to_have_count(0)
        assert scrolls_itself(page) <= 0, path
        assert page.evaluate(BROKEN_WORDS) == [], path


def test_the_focus_ring_of_a_tab_is_inside_of_what_cuts_it_off(phone: Dashboard) -> None:
    page = phone.go("/system")
    page.get_by_role("tab", name="Metrics").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Logs")).to_be_focused()
    ring: dict[str, Any] = page.evaluate(
        """() => {
            const tab = document.activeElement;
            const style = getComputedStyle(tab);
            const reach = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
            return {style: style.outlineStyle, reach};
        }"""
    )
    assert ring["style"] == "solid"
    assert ring["reach"] <= 0


def test_a_stream_with_any_id_is_opened_under_its_engine_and_drained_engines_say_what_they_do(
    board: Dashboard, server: EngineServer
) -> None:
    engine = server.healthy()[0]
    server.play({**engine, "host_http_port": engine["port"]}, "0a48", stream_id=ODD_ID)
    page = board.go("/engines")
    page.get_by_role("tab", name="Streams").click()
    row = page.locator("tbody tr", has_text=ODD_ID)
    expect(row).to_contain_text(str(engine["container_name"]))
    row.get_by_role("link").click()
    expect(page.get_by_text(ODD_ID, exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text(ODD_ID, exact=True)).to_be_visible()
    expect(page.locator(".page-head .badge")).to_have_text("playing")

    name = str(engine["container_name"])
    board.go("/engines")
    board.button(f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Drain").click()
    board.confirm("Drain")
    expect(page.get_by_text("Waiting for 1 engine to finish its streams")).to_be_visible()
    card = page.locator(".card", has=page.get_by_role("heading", name=name, exact=True))
    expect(card.locator(".badge", has_text=re.compile("^draining$"))).to_be_visible()
    board.go(f"/engines/streams/{re.sub('[^a-z]', lambda m: quoted(m[0]), ODD_ID)}")
    board.button("Stop").click()
    board.confirm("Stop")
    wait_for(
        lambda: engine["container_id"] not in {e["container_id"] for e in server.engines()},
        "the drained engine is gone",
    )


def quoted(character: str) -> str:
    """Percent-encoded, whatever it is."""
    return "".join(f"%{byte:02X}" for byte in character.encode())


def test_the_charts_have_the_time_before_the_page_was_opened(
    board: Dashboard, server: EngineServer
) -> None:
    def kept() -> int:
        return len(server.get("/metrics-history")["times"])

    wait_for(lambda: kept() >= 2, "two steps are kept", 60)
    with board.page.expect_response(re.compile(r"/metrics-history\?range=hour")) as heard:
        page = board.go("/system")
    assert len(heard.value.json()["times"]) >= 2
    expect(page.locator(".uplot").first).to_be_visible()
    with page.expect_response(re.compile(r"/metrics-history\?range=day")) as heard:
        board.button("Last day").click()
    assert heard.value.json()["step_s"] == 120
    expect(page.get_by_role("img", name=re.compile("^Last day: CPU"))).to_be_visible()
    assert board.violations() == []
