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

import httpx

from support.browser import browser
from support.dashboard import PHONE, ROOT, Dashboard, dashboard
from support.server import wait_for

IMAGES = ROOT / "docs" / "images"
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


def take(board: Dashboard, name: str, path: str, *, whole: bool = True) -> None:
    """That page, once what is on it has come."""
    page = board.go(path)
    page.wait_for_function("() => !document.querySelector('[data-loading]')")
    page.wait_for_timeout(4000)
    shoot(board, name, whole=whole)


def shoot(board: Dashboard, name: str, *, whole: bool = True) -> None:
    board.page.screenshot(
        path=IMAGES / f"dashboard-{name}.jpg", type="jpeg", quality=78, full_page=whole
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder)) as client:
        origin = str(client.base_url).rstrip("/")
        record(client, EARLIER, 12)
        record(client, MATCH, 30)
        calibrate(client)
        process(client, MATCH)
        for n in (1, 2):
            play(client, f"{n}" * 40, f"ch-4{n}")
        with browser() as running, dashboard(running, origin) as board:
            take(board, "preview", "/preview", whole=False)
            take(board, "matches", "/matches", whole=False)
            take(board, "match", f"/matches/{MATCH.replace(' ', '%20')}")
            take(board, "panorama", "/panorama")
            take(board, "engines", "/engines", whole=False)
            board.page.get_by_role("tab", name="Variant").click()
            board.page.wait_for_timeout(1000)
            shoot(board, "variant", whole=False)
            take(board, "stream", "/engines/streams/ch-41")
            take(board, "system", "/system", whole=False)
            board.go("/")
            board.name_the_match(home_team="Lions", away_team="Bears")
            board.button("Start recording").click()
            wait_for(lambda: recorded_s(client) > 12, "recorded", 40)
            board.button("Goal").click()
            shoot(board, "match-day")
            with dashboard(running, origin, viewport=PHONE, theme="dark") as phone:
                take(phone, "phone", "/", whole=False)
        client.delete("/api/v1/recording", params={"force": True})


if __name__ == "__main__":
    main()
