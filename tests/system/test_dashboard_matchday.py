"""A match in the dashboard on a phone beside the pitch and on a desk, with cameras that fail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from support.dashboard import DESK, PHONE, Dashboard, dashboard
from support.engineserver import EngineServer, engine_server
from support.rtsp import RtspCamera, rtsp_camera
from support.server import wait_for

SMALL = {"width": 320, "height": 180, "gop_s": 1}
NAMES = ("LEFT", "RIGHT")
LANDSCAPE: ViewportSize = {"width": 844, "height": 390}

# A browser without a screen has no wake lock: what is asked for is written down.
STUB_OF_THE_SCREEN = """() => {
    window.locks = [];
    window.felt = [];
    const request = async (kind) => {
        const lock = Object.assign(new EventTarget(), {kind, released: false});
        lock.release = async () => {
            lock.released = true;
            lock.dispatchEvent(new Event("release"));
        };
        window.locks.push(lock);
        return lock;
    };
    Object.defineProperty(navigator, "wakeLock", {value: {request}});
    navigator.vibrate = (pattern) => { window.felt.push(pattern); return true; };
}"""
HELD = "() => window.locks.filter((lock) => !lock.released).map((lock) => lock.kind)"


class Pitch(NamedTuple):
    """A server and its two cameras, of which each can be switched off."""

    server: EngineServer
    left: RtspCamera
    right: RtspCamera


@pytest.fixture(scope="module")
def pitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pitch]:
    with ExitStack() as stack:
        left, right = (stack.enter_context(rtsp_camera(**SMALL)) for _ in NAMES)
        cameras = [
            {"kind": "rtsp", "name": name, "url": camera.url}
            for name, camera in zip(NAMES, (left, right), strict=True)
        ]
        env = {
            "TOUCHLINE_CAPTURE__CAMERAS": json.dumps(dict(enumerate(cameras))),
            "TOUCHLINE_CAPTURE__PROTECTION_S": "0",
        }
        folder = tmp_path_factory.mktemp("server")
        yield Pitch(stack.enter_context(engine_server(folder, env=env)), left, right)


@pytest.fixture
def phone(chromium: Browser, pitch: Pitch) -> Iterator[Dashboard]:
    with dashboard(chromium, pitch.server.origin, viewport=PHONE, has_touch=True) as made:
        made.context.add_init_script(f"({STUB_OF_THE_SCREEN})()")
        yield made
        assert made.faults == []


@pytest.fixture
def desk(chromium: Browser, pitch: Pitch) -> Iterator[Dashboard]:
    with dashboard(chromium, pitch.server.origin, viewport=DESK) as made:
        yield made
        assert made.faults == []


def word(board: Dashboard, text: str) -> None:
    """The state says so."""
    expect(board.page.locator(".state-word")).to_have_text(text)


def does(board: Dashboard, camera: str) -> None:
    """A camera does so, such as `LEFT recording`; a busy machine is another matter."""
    cameras = board.page.get_by_role("list", name="Cameras")
    expect(cameras.get_by_role("listitem").filter(has_text=camera)).to_have_text(camera)


def problems(board: Dashboard) -> Any:
    return board.page.get_by_role("region", name="Problems")


def verdict(board: Dashboard) -> Any:
    return board.page.get_by_role("region", name="Last recording")


def test_cameras_that_die_before_and_during_a_match_are_told_alike_on_every_device(
    phone: Dashboard, desk: Dashboard, pitch: Pitch
) -> None:
    page = phone.go("/")
    expect(page.get_by_role("heading", name="Before the first match")).to_be_visible()
    desk.go("/")
    dead_before_the_match(phone, desk, pitch)
    dies_during_the_match(phone, desk, pitch)
    survives_a_reload(phone)
    the_verdict_is_everywhere_until_somebody_dismisses_it(phone, desk, pitch.server)
    phone.button("Hide this list").click()
    page.reload()
    word(phone, "Ready")
    expect(page.get_by_role("heading", name="Before the first match")).to_have_count(0)


def dead_before_the_match(phone: Dashboard, desk: Dashboard, pitch: Pitch) -> None:
    """The others are recorded, and the one that is missing joins when it is back."""
    page = phone.page
    word(phone, "Ready")
    pitch.right.kill()
    for board in (phone, desk):
        word(board, "Not ready: RIGHT is offline")
        expect(board.button("Record with LEFT only")).to_be_enabled()
    expect(page.get_by_role("list", name="Cameras")).to_contain_text("RIGHT offline")
    phone.button("Record with LEFT only").click()
    word(phone, "Recording \u2013 one camera has a problem")
    expect(problems(phone)).to_contain_text("RIGHT has been down since 0:0")
    pitch.right.start()
    does(phone, "RIGHT recording")


def dies_during_the_match(phone: Dashboard, desk: Dashboard, pitch: Pitch) -> None:
    pitch.left.kill()
    for board in (phone, desk):
        word(board, "Recording \u2013 one camera has a problem")
        expect(problems(board)).to_contain_text("LEFT has been down since 0:")
        expect(problems(board)).to_contain_text("Check its cable, power and network.")
    pitch.left.start()
    for board in (phone, desk):
        does(board, "LEFT recording")
        back = problems(board).get_by_text(re.compile("^LEFT stopped for .* and is back"))
        expect(back.first).to_be_visible()
    assert phone.violations() == []


def survives_a_reload(phone: Dashboard) -> None:
    """What was dismissed on this device stays so, everything else is as before."""
    page = phone.page
    dismiss = phone.button(re.compile("^Dismiss: RIGHT stopped")).last
    dismissed = str(dismiss.get_attribute("aria-label")).removeprefix("Dismiss: ")
    dismiss.click()
    kept = problems(phone).get_by_text(re.compile("^LEFT stopped .* is back")).last.inner_text()
    page.reload()
    expect(problems(phone).get_by_text(kept.splitlines()[0])).to_be_visible()
    expect(problems(phone).get_by_text(dismissed)).to_have_count(0)
    expect(page.get_by_text(re.compile(r"^Lost: .* \(\d+ gaps\)"))).to_be_visible()
    does(phone, "LEFT recording")


def the_verdict_is_everywhere_until_somebody_dismisses_it(
    phone: Dashboard, desk: Dashboard, server: EngineServer
) -> None:
    phone.button("Stop recording").click()
    phone.confirm("Stop recording")
    for board in (phone, desk):
        expect(verdict(board)).to_contain_text(re.compile(r"Match saved\. \d+ .*gaps \("))
        expect(verdict(board)).to_contain_text("LEFT: ")
        word(board, "Ready")
    phone.page.reload()
    expect(verdict(phone)).to_contain_text(re.compile(r"Match saved\. \d+ .*gaps \("))
    assert phone.violations() == []
    assert desk.violations() == []

    desk.button("Record second half").click()
    expect(desk.page.get_by_text("Next part of")).to_be_visible()
    desk.button("Dismiss").click()
    for board in (phone, desk):
        expect(verdict(board)).to_have_count(0)
    assert server.get("/status")["last_stop"] is None


def test_beside_the_pitch_the_screen_stays_on_and_the_buttons_are_large(
    phone: Dashboard, pitch: Pitch
) -> None:
    page = phone.go("/")
    word(phone, "Ready")
    assert page.evaluate(HELD) == []
    phone.button("Start recording").click()
    does(phone, "LEFT recording")
    page.wait_for_function(f"() => ({HELD})().length === 1")
    assert page.evaluate(HELD) == ["screen"]
    # A browser lets go of it when the page is hidden.
    page.evaluate("window.locks[0].release()")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function(f"() => ({HELD})().length === 1")

    marks = page.get_by_role("region", name="Mark a moment")
    within_reach(page, marks)
    assert small_targets(page) == []
    wait_for(lambda: pitch.server.status()["duration"] > 1, "a second old")
    phone.button("now").click()
    phone.button("Goal").click()
    expect(marks.get_by_role("status")).to_contain_text("Goal at 0:")
    assert page.evaluate("window.felt.length") == 1
    within_reach(page, marks)
    phone.button("Undo").click()
    expect(marks.get_by_role("status")).to_be_empty()

    page.set_viewport_size(LANDSCAPE)
    within_reach(page, marks)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert small_targets(page) == []
    page.set_viewport_size(PHONE)
    phone.button("Stop recording").click()
    phone.confirm("Stop recording")
    word(phone, "Ready")
    page.wait_for_function(f"() => ({HELD})().length === 0")


def within_reach(page: Page, marks: Any) -> None:
    """All of the marks are seen, wherever the page is scrolled to."""
    for top in (10_000, 0):
        page.locator("main").evaluate("(main, top) => main.scrollTo(0, top)", top)
        for name in ("Goal", "Moment", "now"):
            expect(marks.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)


def small_targets(page: Page) -> list[str]:
    """What can be tapped on the page and is less than 56 pixels high."""
    found: list[str] = page.locator("main").evaluate(
        """(main) => [...main.querySelectorAll("button:not([role=switch]), a, summary")]
            .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 56)
            .map((each) => `${each.tagName} ${each.textContent}`)"""
    )
    return found
