"""`scripts/screenshots`: the pictures of docs/dashboard.md, taken of the demo as it runs."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from support.browser import browser
from support.dashboard import PHONE, ROOT, Dashboard, dashboard
from support.server import wait_for

DARK: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "theme": "dark"}
MATCH = "2026-11-27 Lions - Tigers - District Cup"
EARLIER = "2026-11-20 Owls - Lions - League"


@contextmanager
def demo(folder: Path) -> Iterator[httpx.Client]:
    """A running demo."""
    process = subprocess.Popen(
        [sys.executable, "-m", "touchline", "demo", "--port", "0", "--data", str(folder)],
        stdout=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if not k.startswith("TOUCHLINE_")},
    )
    assert process.stdout is not None
    try:
        assert select.select([process.stdout], [], [], 60)[0], "it did not start"
        url = process.stdout.readline().decode().removeprefix("ready ").strip()
        yield httpx.Client(base_url=url, timeout=120)
    finally:
        process.terminate()
        process.wait(30)


def record(client: httpx.Client, match_id: str, seconds: float) -> None:
    """A match that is over."""
    client.post("/api/v1/recording", json={"match_id": match_id}).raise_for_status()
    recorded = wait_for(lambda: recorded_s(client) >= seconds, "recorded", seconds + 20)
    assert recorded
    markers = f"/api/v1/recordings/{match_id}/markers"
    for kind, at in (("goal", seconds / 3), ("card", seconds / 2)):
        client.post(markers, json={"kind": kind, "at": at}).raise_for_status()
    client.delete("/api/v1/recording", params={"force": True}).raise_for_status()


def recorded_s(client: httpx.Client) -> float:
    return float(client.get("/api/v1/status").json()["recording"]["duration"])


def calibrate(client: httpx.Client) -> None:
    place = "/api/v1/panorama/calibration"
    client.post(f"{place}/start").raise_for_status()
    for _ in range(12):
        client.post(f"{place}/capture").raise_for_status()
    client.post(f"{place}/complete").raise_for_status()


def process(client: httpx.Client, match_id: str) -> None:
    steps = {"steps": ["archive", "sprites", "panorama", "follow"]}
    client.post(f"/api/v1/recordings/{match_id}/process", json=steps).raise_for_status()

    def over() -> bool:
        jobs = client.get("/api/v1/processing/jobs").json()["jobs"]
        return all(job["state"] == "done" for job in jobs)

    wait_for(over, "processed", 300)


def play(client: httpx.Client, key: str, stream_id: str) -> None:
    """A stream on the first engine."""
    engine = client.get("/engines").json()[0]
    url = f"http://127.0.0.1:{engine['port']}/ace/getstream"
    asked = {"id": key, "pid": stream_id, "format": "json"}
    session = httpx.get(url, params=asked).json()["response"]
    names = ("playback_session_id", "stat_url", "command_url", "is_live")
    report: dict[str, Any] = {
        "container_id": engine["container_id"],
        "engine": {"host": "localhost", "port": engine["port"]},
        "stream": {"key_type": "content_id", "key": key},
        "session": {name: session[name] for name in names},
        "labels": {"stream_id": stream_id},
    }
    client.post("/events/stream_started", json=report).raise_for_status()


class Album:
    """A folder with the pictures of docs/dashboard.md."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, board: Dashboard, name: str, path: str, *, whole: bool = False) -> None:
        """Take that page, once what is on it has come."""
        page = board.go(path)
        page.wait_for_function("() => !document.querySelector('[data-loading]')")
        page.wait_for_timeout(4000)
        self.take(board, name, whole=whole)

    def take(self, board: Dashboard, name: str, *, whole: bool = False) -> None:
        path = self._folder / f"dashboard-{name}.jpg"
        board.page.screenshot(path=path, type="jpeg", quality=78, full_page=whole)


def take_pictures(folder: Path) -> None:
    """Take all pictures of docs/dashboard.md, with the demo."""
    album = Album(folder)
    with tempfile.TemporaryDirectory() as data, demo(Path(data)) as client:
        origin = str(client.base_url).rstrip("/")
        record(client, EARLIER, 12)
        record(client, MATCH, 30)
        calibrate(client)
        process(client, MATCH)
        for n in (1, 2):
            play(client, f"{n}" * 40, f"ch-4{n}")
        with browser() as running:
            with dashboard(running, origin) as board:
                on_a_desk(board, album)
            with dashboard(running, origin, viewport=PHONE, has_touch=True) as phone:
                on_a_phone(phone, album)
            with dashboard(running, origin) as board, dashboard(running, origin, **DARK) as phone:
                during_a_match(board, phone, album, client)


def on_a_desk(board: Dashboard, album: Album) -> None:
    album.open(board, "preview", "/preview")
    album.open(board, "matches", "/matches")
    album.open(board, "match", f"/matches/{quote(MATCH)}", whole=True)
    album.open(board, "panorama", "/panorama", whole=True)
    album.open(board, "engines", "/engines")
    album.open(board, "activity", "/engines?tab=activity")
    album.open(board, "variant", "/engines?tab=variant")
    album.open(board, "stream", "/engines/streams/ch-41", whole=True)
    album.open(board, "system", "/system")


def on_a_phone(phone: Dashboard, album: Album) -> None:
    album.open(phone, "phone-matches", "/matches")
    album.open(phone, "phone-player", f"/matches/{quote(MATCH)}?t=10")
    phone.page.get_by_role("button", name="Clip and markers", exact=True).click()
    phone.page.wait_for_timeout(1000)
    album.take(phone, "phone-tools")


def during_a_match(board: Dashboard, phone: Dashboard, album: Album, client: httpx.Client) -> None:
    """The desk, the phone in the dark, and the verdict afterwards, in German."""
    board.go("/")
    board.name_the_match(home_team="Lions", away_team="Bears")
    board.button("Start recording").click()
    wait_for(lambda: recorded_s(client) > 12, "recorded", 40)
    board.button("Goal").click()
    album.take(board, "match-day", whole=True)
    album.open(phone, "phone", "/")
    client.delete("/api/v1/recording", params={"force": True}).raise_for_status()
    phone.page.evaluate("localStorage.setItem('touchline-language', 'de')")
    phone.page.reload()
    phone.page.wait_for_timeout(4000)
    album.take(phone, "phone-german")


if __name__ == "__main__":
    take_pictures(ROOT / "docs" / "images")
