"""How the dashboard and its server find each other: a lost connection, and signing in."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from support.dashboard import DESK, PHONE, dashboard
from support.engineserver import engine_server

KEY = "correct horse battery staple"
BEARER = {"Authorization": f"Bearer {KEY}"}
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@SIZES
def test_a_lost_connection_is_told_and_comes_back_by_itself(
    size: ViewportSize, chromium: Browser, two_views: str, tmp_path: Path
) -> None:
    with engine_server(tmp_path, env={"TOUCHLINE_CAPTURE__CAMERAS": two_views}) as server:
        server.port = server.root.base_url.port or 0
        with dashboard(chromium, server.origin, viewport=size) as board:
            page = board.go("/")
            expect(page.locator(".state-word")).to_have_text("Ready")
            server.kill()
            lost = page.get_by_role("status").filter(has_text="No connection to the server")
            expect(lost).to_be_visible()
            # Pressed once; what was asked for is done when the server is there again.
            board.button("Start recording").click()
            server.start()
            expect(lost).to_have_count(0, timeout=30_000)
            expect(page.locator(".state-word")).to_have_text("Recording", timeout=30_000)
            assert server.status()["recording"]
            server.stop()


@SIZES
def test_where_a_key_is_set_one_signs_in_and_other_sites_stay_out(
    size: ViewportSize, chromium: Browser, two_views: str, tmp_path: Path
) -> None:
    env = {
        "TOUCHLINE_CAPTURE__CAMERAS": two_views,
        "TOUCHLINE_AUTH__API_KEY": KEY,
        "TOUCHLINE_AUTH__READS": "true",
    }
    with (
        engine_server(tmp_path, env=env) as server,
        another_site(tmp_path / "other") as other,
        dashboard(chromium, server.origin, viewport=size) as board,
    ):
        page = board.page
        page.goto(board.origin)
        page.get_by_label("Key", exact=True).fill("wrong")
        board.button("Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the server's key.")
        assert board.violations() == []
        page.get_by_label("Key", exact=True).fill(KEY)
        board.button("Sign in").click()
        expect(page.locator(".state-word")).to_have_text("Ready")
        board.plays("LEFT")
        (cookie,) = board.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert KEY not in json.dumps(cookie)
        assert KEY not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")

        # The cookie outlives the page, and a page of another origin cannot use it.
        page.reload()
        expect(page.locator(".state-word")).to_have_text("Ready")
        stranger = board.context.new_page()
        stranger.goto(other)
        # The browser lends it the cookie, though it shows it no answer.
        assert status_for(stranger, "GET", f"{board.origin}/orchestrator/status") == 200
        assert status_for(stranger, "POST", f"{board.origin}/scale/5") == 403
        assert server.ask("GET", "/orchestrator/status", headers=BEARER)["capacity"]["total"] < 5
        if size == PHONE:
            board.button("More", within="nav").click()
        board.button("Sign out").click()
        expect(page.get_by_label("Key", exact=True)).to_be_visible()
        assert board.context.cookies() == []


def status_for(page: Page, method: str, url: str) -> int:
    """How the server answers what this page asks with whatever cookies the browser adds."""
    with page.expect_response(url) as answer:
        page.evaluate(
            """async ([method, url]) => {
                await fetch(url, {method, mode: "no-cors", credentials: "include"});
            }""",
            [method, url],
        )
    return answer.value.status


@contextmanager
def another_site(folder: Path) -> Iterator[str]:
    """The address of a page of another origin on the same host, which a browser takes for near."""
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        serving = threading.Thread(target=site.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{site.server_port}/"
        finally:
            site.shutdown()
            serving.join()
