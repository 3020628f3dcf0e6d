"""Headless Chromium with pages that run scripts of tests/assets in the server's own origin."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.server import wait_for

ASSETS = Path(__file__).parents[1] / "assets"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
)
"""Nothing but the page: no sandbox in a container, and no talking to its maker."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser; the test is skipped where the machine has none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is installed")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            yield made
        finally:
            made.close()


def open_page(browser: Browser, origin: str, *scripts: str) -> Page:
    """A page of the server's own origin that runs scripts of tests/assets.

    The server's pages and sockets have an origin check, and the browser one for local addresses;
    a page that really comes from the server passes both.
    """
    page = browser.new_page()
    page.goto(f"{origin}/api/v1/health")
    page.set_content("<!DOCTYPE html><title>test</title>")
    for script in scripts:
        page.add_script_tag(path=ASSETS / script)
    return page


class Watching:
    """A page that watches streams over the WebSocket."""

    def __init__(self, browser: Browser, origin: str, *kinds: str) -> None:
        self.page = open_page(browser, origin, "counter.js", "watch.js")
        self.page.evaluate("kinds => { window.watch = new Watch(kinds) }", list(kinds))

    def frames(self, kind: str, start: int = 0) -> list[dict[str, Any]]:
        """What the stream has shown: `at` in Unix ms, `counter`."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "([kind, start]) => watch.frames(kind, start)", [kind, start]
        )
        return found

    def shows(self, kind: str, count: int, start: int = 0, deadline_s: float = 60) -> list[int]:
        """The readable counters of that many frames, once they have been shown."""

        def look() -> list[int]:
            found = [f["counter"] for f in self.frames(kind, start) if f["counter"] is not None]
            return found if len(found) >= count else []

        shown: list[int] = wait_for(look, f"showing {count} frames of {kind}", deadline_s)
        return shown

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """The signalling messages of that type so far."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "kind => watch.messages.filter(m => m.type === kind)", kind
        )
        return found

    def stop(self) -> None:
        """Hang up."""
        self.page.evaluate("watch.stop()")


class WhepPage:
    """A page that watches one stream over WHEP, in the DTLS role that it offers."""

    def __init__(
        self, browser: Browser, origin: str, stream: str, *, setup: str, rsa: bool = False
    ) -> None:
        self.page = open_page(browser, origin, "counter.js", "whep.js")
        options = {"setup": setup, "rsa": rsa}
        self.page.evaluate(
            "([url, options]) => { window.whep = new Whep(url, options) }",
            [f"/api/v1/whep/{stream}", options],
        )

    def state(self) -> dict[str, Any]:
        """How its requests went."""
        found: dict[str, Any] = self.page.evaluate("whep.state()")
        return found

    def shows(self, count: int, deadline_s: float = 60) -> list[int]:
        """The readable counters of that many frames, once they have been shown."""

        def look() -> list[int]:
            assert self.state()["failed"] is None, self.state()
            shown: list[int | None] = self.page.evaluate("whep.shown.map((frame) => frame.counter)")
            found = [each for each in shown if each is not None]
            return found if len(found) >= count else []

        shown: list[int] = wait_for(look, f"showing {count} frames over WHEP", deadline_s)
        return shown

    def stop(self) -> int:
        """End the session; returns the status of the answer."""
        status: int = self.page.evaluate("whep.stop()")
        self.page.close()
        return status


class HlsPage:
    """A page that plays one camera, or any playlist of the server, with hls.js."""

    def __init__(
        self,
        browser: Browser,
        origin: str,
        camera: str,
        *,
        low_latency: bool,
        playlist: str | None = None,
    ) -> None:
        scripts = ("hls.js/hls.light.min.js", "counter.js", "hlsplayer.js")
        self.page = open_page(browser, origin, *scripts)
        self.page.evaluate(
            "([url, low]) => { window.player = new HlsPlayer(url, low) }",
            [playlist or f"/hls/{camera}.m3u8", low_latency],
        )

    def frames(self, start: int = 0) -> list[dict[str, Any]]:
        """What was shown: `at` in Unix ms, `counter`."""
        found: list[dict[str, Any]] = self.page.evaluate("start => player.frames(start)", start)
        return found

    def shows(self, count: int, start: int = 0, deadline_s: float = 60) -> list[dict[str, Any]]:
        """That many frames with readable counters, once they have been shown."""

        def look() -> list[dict[str, Any]]:
            found = [f for f in self.frames(start) if f["counter"] is not None]
            return found if len(found) >= count else []

        shown: list[dict[str, Any]] = wait_for(look, f"showing {count} frames", deadline_s)
        return shown

    def state(self) -> dict[str, Any]:
        """What hls.js says of itself."""
        found: dict[str, Any] = self.page.evaluate("player.state()")
        return found

    def stop(self) -> None:
        """Close the page."""
        self.page.close()
