"""The dashboard in a browser, as an operator uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from support.engineserver import EngineServer, engine_server
from support.matches import looping_films

ROOT = Path(__file__).parents[2]
AXE = ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

CAPTURE = {
    "TOUCHLINE_CAPTURE__PREVIEW_WHILE_RECORDING": "true",
    "TOUCHLINE_CAPTURE__PROTECTION_S": "60",  # whatever the machine does meanwhile
}
ENGINES = {
    "TOUCHLINE_ENGINES__SCALING": json.dumps(
        {"min_replicas": 1, "min_free_replicas": 0, "max_replicas": 6, "lease_s": 3.0}
    ),
}

expect.set_options(timeout=30_000)


def two_views() -> str:
    """Cameras LEFT and RIGHT that look at one world over and over, as a setting."""
    names = ("LEFT", "RIGHT")
    films = zip(names, looping_films(), strict=True)
    cameras = [{"kind": "file", "name": name, "path": str(path)} for name, path in films]
    return json.dumps(dict(enumerate(cameras)))


class Dashboard:
    """One page. `faults` has what its scripts complained about.

    `refused` has the pictures that the server refused it, also those that it got a moment later.
    """

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.page = context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.refused: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._hear))

    def _hear(self, frame: str | bytes) -> None:
        if not isinstance(frame, str) or '"webrtc_error"' not in frame:
            return
        data = json.loads(frame)["data"]
        if "session_id" not in data:  # what a session that has just ended is told is no refusal
            self.refused.append(f"{data['stream_kind']}: {data['error']}")

    def go(self, path: str = "/") -> Page:
        """That page of the dashboard, with its heading there."""
        if self.page.url.startswith(f"{self.origin}/#"):
            self.page.evaluate("path => { location.hash = path }", path)
        else:
            self.page.goto(f"{self.origin}/#{path}")
        expect(self.page.locator("main h1").first).to_be_attached()
        return self.page

    def button(self, name: str | re.Pattern[str], *, within: str = "body") -> Any:
        """A button by what it is called."""
        return self.page.locator(within).get_by_role("button", name=name)

    def name_the_match(self, **details: str) -> None:
        """Fill in what a match is called; `home_team="Lions"` fills the field of that name."""
        if not self.page.get_by_label("Home team").is_visible():
            self.page.get_by_text("Match details (optional)").click()
        for name, text in details.items():
            self.page.get_by_label(name.replace("_", " ").capitalize()).fill(text)

    def confirm(self, action: str) -> None:
        """Answer the question that is asked."""
        dialog = self.page.get_by_role("alertdialog")
        dialog.get_by_role("button", name=action, exact=True).click()

    def told(self, text: str | re.Pattern[str]) -> None:
        """A message said so."""
        expect(self.page.locator("[data-toast]").filter(has_text=text).first).to_be_visible()

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA on the page as it is, once what slides in is there."""
        self.page.evaluate(AXE.read_text())
        self.page.evaluate(
            """() => Promise.allSettled(document.getAnimations()
                .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
                .map(each => each.finished))"""
        )
        found = self.page.evaluate(
            """() => axe.run(document, {
                runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            })"""
        )
        return [
            f"{each['id']}: {each['help']}: {json.dumps([n['html'][:160] for n in each['nodes']])}"
            for each in found["violations"]
        ]

    def plays(self, label: str) -> None:
        """A live picture moves."""
        video = self.page.locator(f'video[aria-label="{label}, live"]')
        expect(video).to_have_attribute("data-playing", "true", timeout=60_000)
        before = video.evaluate("v => v.currentTime")
        self.page.wait_for_function(
            "([v, before]) => v.currentTime > before + 0.3 && v.videoWidth > 0",
            arg=[video.element_handle(), before],
        )


@contextmanager
def dashboard(
    browser: Browser, origin: str, *, viewport: Any = DESK, theme: Any = "light", **how: Any
) -> Iterator[Dashboard]:
    """An open page, in a browser's profile of its own."""
    context = browser.new_context(
        viewport=viewport, color_scheme=theme, accept_downloads=True, **how
    )
    try:
        yield Dashboard(context, origin)
    finally:
        context.close()


@contextmanager
def whole_server(folder: Path, cameras: str) -> Iterator[EngineServer]:
    """A server with these cameras and one engine, which answers."""
    env = {"TOUCHLINE_CAPTURE__CAMERAS": cameras, **CAPTURE, **ENGINES}
    with engine_server(folder, env=env) as running:
        running.until(lambda: len(running.healthy()) == 1)
        yield running
