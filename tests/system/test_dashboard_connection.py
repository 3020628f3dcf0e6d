"""How the dashboard and its server find each other: a lost connection, and signing in."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from support.dashboard import dashboard
from support.engineserver import engine_server

KEY = "correct horse battery staple"
BEARER = {"Authorization": f"Bearer {KEY}"}


def test_a_lost_connection_is_told_and_comes_back_by_itself(
    chromium: Browser, two_views: str, tmp_path: Path
) -> None:
    with engine_server(tmp_path, env={"TOUCHLINE_CAPTURE__CAMERAS": two_views}) as server:
        server.port = server.root.base_url.port or 0
        with dashboard(chromium, server.origin) as board:
            page = board.go("/")
            expect(page.locator(".state-word")).to_have_text("Ready")
            server.kill()
            expect(page.locator(".banner")).to_contain_text("connection to the server is lost")
            # Pressed once; what was asked for is done when the server is there again.
            board.button("Start recording").click()
            server.start()
            expect(page.locator(".banner")).to_have_count(0, timeout=30_000)
            expect(page.locator(".state-word")).to_have_text("Recording", timeout=30_000)
            assert server.status()["recording"]
            server.stop()


def test_where_a_key_is_set_one_signs_in_and_other_sites_stay_out(
    chromium: Browser, two_views: str, tmp_path: Path
) -> None:
    env = {
        "TOUCHLINE_CAPTURE__CAMERAS": two_views,
        "TOUCHLINE_AUTH__API_KEY": KEY,
        "TOUCHLINE_AUTH__READS": "true",
    }
    with (
        engine_server(tmp_path, env=env) as server,
        dashboard(chromium, server.origin) as board,
    ):
        page = board.page
        page.goto(board.origin)
        page.get_by_label("API key").fill("wrong")
        board.button("Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the server's key.")
        assert board.violations() == []
        page.get_by_label("API key").fill(KEY)
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
        stranger.route("**/", lambda route: route.fulfill(body="<title>other</title>"))
        stranger.goto("http://127.0.0.1:8999/")
        with stranger.expect_response("**/scale/5") as refused:
            stranger.evaluate(
                """url => fetch(url, {method: "POST", mode: "no-cors", credentials: "include"})
                    .catch(() => null)""",
                f"{board.origin}/scale/5",
            )
        assert cookie["value"] in refused.value.request.all_headers()["cookie"]
        assert refused.value.status == 403
        assert server.ask("GET", "/orchestrator/status", headers=BEARER)["capacity"]["total"] < 5
        board.button("Sign out").click()
        expect(page.get_by_label("API key")).to_be_visible()
        assert board.context.cookies() == []
