"""An operator's day in the dashboard: a real server, real cameras and engines, a real browser."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from support.dashboard import PHONE, Dashboard, dashboard
from support.engineserver import EngineServer
from support.frames import probe
from support.server import wait_for

PAGES = ("/", "/preview", "/matches", "/panorama", "/engines", "/system")


@pytest.fixture
def board(chromium: Browser, server: EngineServer) -> Iterator[Dashboard]:
    with dashboard(chromium, server.origin) as made:
        yield made
        assert made.faults == []


def filmed(server: EngineServer, seconds: float) -> None:
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old", seconds + 20)


def record(board: Dashboard, server: EngineServer, home: str, away: str, seconds: float) -> None:
    """A recording of some seconds, stopped inside the protection window."""
    page = board.go("/")
    board.name_the_match(home_team=home, away_team=away, competition="Cup")
    board.button("Start recording").click()
    expect(page.locator(".state-word")).to_have_text("Recording")
    filmed(server, seconds)
    board.button("Stop recording").click()
    board.confirm("Stop recording")
    board.confirm("Stop anyway")
    expect(page.get_by_role("region", name="Last recording")).to_contain_text(
        "Match saved. Nothing is missing", timeout=30_000
    )
    expect(page.locator(".state-word")).to_have_text("Ready")


def test_record_watch_mark_stop_find_play_clip_and_delete(
    board: Dashboard, server: EngineServer, tmp_path: Path
) -> None:
    match_id = begin_a_match(board, server)
    mark_a_goal(board, server, match_id)
    stop_inside_the_protection(board, server)
    find_and_play(board, server, match_id)
    cut_a_clip(board, tmp_path / "clip.mp4")
    verify_protect_and_delete(board, server, match_id)


def begin_a_match(board: Dashboard, server: EngineServer) -> str:
    """Record; returns the id of the match. Whoever watches goes on watching."""
    page = board.go("/")
    for label in ("LEFT", "RIGHT"):
        board.plays(label)
    board.name_the_match(
        home_team="Lions", away_team="Tigers", competition="District Cup", date="2026-11-27"
    )
    board.button("Start recording").click()
    expect(page.locator(".state-word")).to_have_text("Recording")
    match_id = "2026-11-27 Lions - Tigers - District Cup"
    assert server.status()["match_id"] == match_id
    for label in ("LEFT", "RIGHT"):
        board.plays(label)
    assert board.violations() == []
    return match_id


def mark_a_goal(board: Dashboard, server: EngineServer, match_id: str) -> None:
    """What happens is marked with one tap, and a mark can be taken back."""
    board.button("now").click()
    filmed(server, 5)
    board.button("Goal").click()
    marked = board.page.get_by_role("region", name="Mark a moment").get_by_role("status")
    expect(marked).to_contain_text("Goal at 0:")
    board.button("Corner").click()
    expect(marked).to_contain_text("Corner at")
    board.button("Undo").click()
    wait_for(
        lambda: (
            [m["kind"] for m in server.get(f"/recordings/{match_id}/markers")["markers"]]
            == ["goal"]
        ),
        "taken back",
    )


def stop_inside_the_protection(board: Dashboard, server: EngineServer) -> None:
    """Young recordings are protected from a slip of the thumb."""
    page = board.page
    board.button("Stop recording").click()
    board.confirm("Cancel")
    assert server.status()["recording"]
    board.button("Stop recording").click()
    board.confirm("Stop recording")
    expect(page.get_by_role("alertdialog")).to_contain_text("Stop anyway?")
    board.confirm("Stop anyway")
    expect(page.get_by_role("region", name="Last recording")).to_contain_text(
        "Match saved. Nothing is missing", timeout=30_000
    )
    expect(page.locator(".state-word")).to_have_text("Ready")


def find_and_play(board: Dashboard, server: EngineServer, match_id: str) -> None:
    page = board.go("/matches")
    page.get_by_label("Search").fill("tigers cup")
    page.get_by_role("link", name=re.compile("Lions . Tigers")).click()
    expect(page.get_by_role("heading", name=re.compile("Lions . Tigers"))).to_be_visible()
    board.button("Play").click()
    both_play_in_step(board, server, match_id)
    board.button("Pause").click()
    assert board.violations() == []


def cut_a_clip(board: Dashboard, clip: Path) -> None:
    """The clip is exact, and is what was asked for."""
    page = board.page
    scrubber = page.get_by_role("slider", name="Time of the match")
    scrubber.press("Home")
    board.button("Set start").click()
    scrubber.press("End")
    scrubber.press("ArrowLeft")
    expect(board.button("Set start (0:00)")).to_be_visible()
    board.button("Set end").click()
    with page.expect_download() as download:
        board.button(re.compile("^Save clip$")).click()
    download.value.save_as(clip)
    (stream,) = probe(clip)["streams"]
    assert float(stream["duration"]) > 0.5


def verify_protect_and_delete(board: Dashboard, server: EngineServer, match_id: str) -> None:
    page = board.page
    board.button("Verify").click()
    expect(page.get_by_text(re.compile(r"All \d+ frames are intact"))).to_be_visible()
    expect(page.locator(".page-head .badge", has_text="Verified")).to_be_visible()
    protection = page.get_by_role("switch", name="Protect from deletion")
    protection.click()
    expect(board.button("Move to trash")).to_be_disabled()
    expect(page.get_by_text("Protected matches stay")).to_be_visible()
    protection.click()
    board.button("Move to trash").click()
    board.told("Moved to trash")
    wait_for(lambda: not (server.recordings / match_id).exists(), "moved out of the library")
    expect(page.get_by_role("link", name=re.compile("Lions . Tigers"))).to_have_count(0)
    page.get_by_role("tab", name=re.compile("Trash")).click()
    for_good = board.button(re.compile("Delete for good: Lions . Tigers"))
    for_good.click()
    board.confirm("Cancel")
    assert server.get("/trash")["matches"]
    for_good.click()
    board.confirm("Delete for good")
    board.told("freed")
    wait_for(lambda: not server.get("/trash")["matches"], "gone from the disk")


def both_play_in_step(board: Dashboard, server: EngineServer, match_id: str) -> None:
    """Both show the same instant; the files of two cameras need not begin at the same one.

    A match of a few seconds is played again where the machine was too busy.
    """
    began = [filming_began(server, match_id, camera) for camera in ("cam0", "cam1")]
    board.page.wait_for_function(
        """(later) => {
            const [a, b] = ["cam0", "cam1"].map((s) =>
                document.querySelector(`video[data-source="${s}"]`));
            if (!a || !b) return false;
            const [again] = [...document.querySelectorAll("button[aria-label=Play]")];
            if (again) {
                a.currentTime = 0;
                again.click();
                return false;
            }
            return b.currentTime > 1 && Math.abs(a.currentTime - b.currentTime - later) < 0.1;
        }""",
        arg=(began[1] - began[0]).total_seconds(),
        timeout=60_000,
        polling=50,
    )


def filming_began(server: EngineServer, match_id: str, camera: str) -> datetime:
    """As the playlist says it."""
    playlist = server.root.get(f"/api/v1/recordings/{quote(match_id)}/vod/{camera}.m3u8").text
    found = re.search(r"^#EXT-X-PROGRAM-DATE-TIME:(\S+)$", playlist, re.MULTILINE)
    assert found, playlist
    return datetime.fromisoformat(found[1])


def test_a_match_is_processed_and_its_panorama_calibrated_and_cut(
    board: Dashboard, server: EngineServer
) -> None:
    record(board, server, "Owls", "Bears", 6)
    page = board.go("/panorama")
    board.button("Start calibration").click()
    board.button("Capture 12 picture pairs").click()
    over = page.locator(".page-head .badge.good, [role=alert]")
    expect(over.first).to_have_text("Calibration 1", timeout=120_000)
    expect(page.get_by_role("heading", name="What both cameras see")).to_be_visible()
    points = page.locator("svg circle")
    expect(points.first).to_be_attached()
    assert points.count() > 20
    assert board.violations() == []
    board.button("Preview live").click()
    board.plays("Panorama")
    from_the_live_panorama_to_the_cameras(board)

    board.go("/matches")
    page.get_by_role("link", name=re.compile("Owls . Bears")).first.click()
    page.get_by_role("checkbox", name="Panorama", exact=True).check()
    page.get_by_role("checkbox", name="Follow-the-play video").check()
    board.button("Create", within=".columns").click()
    jobs = page.locator(".columns .badge", has_text="Done")
    expect(jobs).to_have_count(4, timeout=120_000)
    expect(page.locator(".page-head .badge", has_text="Videos ready")).to_be_visible()
    page.get_by_role("radio", name="Panorama").check()
    board.button(re.compile("^Play$")).click()
    page.wait_for_function(
        "() => document.querySelector('video[data-source=panorama]')?.currentTime > 0.5"
    )
    # Thumbnails stand over the line of time.
    page.get_by_role("slider", name="Time of the match").hover()
    expect(page.locator("[data-thumbnail]")).to_be_visible()

    board.go("/panorama")
    page.get_by_role("combobox", name="Match", exact=True).select_option(index=1)
    panorama = page.get_by_label("Panorama of the match")
    expect(panorama.locator("xpath=..").locator("svg rect")).to_be_attached(timeout=20_000)
    choose = page.get_by_role("button", name=re.compile("^Choose the spot"))
    choose.click(position={"x": 60, "y": 40})
    expect(board.button(re.compile("Remove the spot at"))).to_be_visible()
    assert board.violations() == []


def from_the_live_panorama_to_the_cameras(board: Dashboard) -> None:
    """From page to page and on one page, there and back; nothing is refused on the way."""

    def play(*labels: str) -> None:
        for label in labels:
            board.plays(label)
            assert board.refused == []

    for _ in range(2):
        board.go("/preview")
        play("LEFT", "RIGHT")
        board.go("/panorama")
        board.button("Preview live").click()
        play("Panorama")
    board.go("/preview")
    play("LEFT", "RIGHT")
    board.page.get_by_role("button", name="Panorama", exact=True).click()
    play("Panorama")
    board.page.get_by_role("button", name="Cameras", exact=True).click()
    play("LEFT", "RIGHT")


def test_logs_are_followed_events_filtered_settings_changed_and_the_machine_checked(
    board: Dashboard, server: EngineServer
) -> None:
    page = board.go("/system")
    expect(page.locator(".uplot").first).to_be_visible()
    page.get_by_role("tab", name="Logs").click()
    page.get_by_role("combobox", name="Log", exact=True).select_option("watchdog")
    log = page.get_by_role("log")
    expect(log).to_contain_text("was started")
    lines = len(log.inner_text().splitlines())
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    page.wait_for_function(
        "before => document.querySelector('pre.log').innerText.split('\\n').length > before",
        arg=lines,
    )
    page.get_by_label("Only lines with").fill("nothing has this")
    expect(log).to_have_text("No line matches this filter.")

    page.get_by_role("tab", name="Events").click()
    page.get_by_label("Type").select_option("engine")
    badges = page.locator("tbody .badge")
    # The list of before stands until the new one is there.
    expect(badges.filter(has_not_text="engine:")).to_have_count(0)
    expect(badges.first).to_contain_text("Engine:")
    page.get_by_label("Search").fill("no-such-word")
    expect(page.get_by_text("No events found.")).to_be_visible()

    page.get_by_role("tab", name="Hardware errors").click()
    expect(page.get_by_text("No hardware errors found")).to_be_visible()

    page.get_by_role("tab", name="Settings").click()
    may_watch = page.get_by_label("Allow viewers during recording")
    expect(may_watch).to_be_checked()
    may_watch.click()
    wait_for(lambda: not server.get("/settings/preview-while-recording")["enabled"], "switched off")
    may_watch.click()
    expect(may_watch).to_be_checked()

    page.get_by_role("tab", name="Check").click()
    expect(page.get_by_text("Everything required is installed")).to_be_visible(timeout=60_000)
    expect(page.locator("li.card", has_text="GStreamer")).to_be_visible()


@pytest.mark.parametrize(("theme", "viewport"), [("light", None), ("dark", PHONE)])
def test_every_page_is_accessible_and_asks_nobody_else(
    chromium: Browser, server: EngineServer, theme: str, viewport: Any
) -> None:
    how = {} if viewport is None else {"viewport": viewport, "has_touch": True}
    with dashboard(chromium, server.origin, theme=theme, **how) as board:
        for path in PAGES:
            page = board.go(path)
            expect(page.locator("[data-loading]:visible")).to_have_count(0)
            assert board.violations() == [], path
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels too wide"
        for tab in ("Logs", "Events", "Hardware errors", "Settings", "Check"):
            page.get_by_role("tab", name=tab).click()
            expect(page.locator("[data-loading]:visible")).to_have_count(0, timeout=60_000)
            assert board.violations() == [], tab
        foreign = [url for url in board.requests if server.origin not in url]
        assert [url for url in foreign if not url.startswith(("blob:", "data:"))] == []
        assert board.faults == []


def test_nothing_is_polled_while_the_socket_works(board: Dashboard) -> None:
    for path in ("/engines", "/matches", "/system"):
        page = board.go(path)
        page.wait_for_timeout(1500)
        board.requests.clear()
        page.wait_for_timeout(4000)
        assert board.requests == [], path


def test_without_webrtc_pictures_come_over_hls(chromium: Browser, server: EngineServer) -> None:
    with dashboard(chromium, server.origin) as board:
        board.context.add_init_script("delete window.RTCPeerConnection")
        page = board.go("/preview")
        for label in ("LEFT", "RIGHT"):
            board.plays(label)
        expect(page.locator('[data-via="hls"]')).to_have_count(2)
        board.button("Grid").click()
        expect(page.locator("[data-via] > svg path").first).to_be_attached()
        with page.expect_download() as download:
            board.button("Snapshot of LEFT").click()
        assert Path(download.value.path()).read_bytes()[:2] == b"\xff\xd8"
    server.client.delete("/preview")
