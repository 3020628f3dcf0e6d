"""Players without headers against a server with a key: with a password, and with signed links."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.frames import counters
from support.players import FILMING, Wanted
from support.server import SMALL, Server, serving, wait_for
from support.watching import root, shown

KEY = "a-key-of-some-length"
MATCH = "derby"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A recorded match and a running preview, behind a key and with closed reads."""
    folder = tmp_path_factory.mktemp("server")
    auth = {"api_key": KEY, "reads": "true"}
    with serving(folder, cameras={0: SMALL}, auth=auth) as running:
        running.started(MATCH)
        wait_for(lambda: running.get("/recording")["duration"] > 2.5, "some footage")
        assert running.stop()["success"]
        shown(running, camera_id=0, transport="hls")
        yield running


def frames(url: str, *options: str) -> int:
    """How many pictures ffmpeg decodes from an address."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", url, "-frames:v", "30", *options]
    command += ["-f", "null", "-progress", "-", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return max(int(line[6:]) for line in done.stdout.splitlines() if line.startswith("frame="))


def link(server: Server, path: str) -> str:
    reply = server.client.post("/links", json={"path": path})
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return str(told["url"])


PATHS = [
    "/hls/cam0.m3u8",
    f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8",
    f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8?container=mp4",
    f"/api/v1/recordings/{MATCH}/clip?camera=cam0&start=0.2&end=1.8",
]


@pytest.mark.parametrize("path", PATHS)
def test_ffmpeg_plays_with_the_key_as_password(server: Server, path: str) -> None:
    url = f"{root(server)}{path}"
    assert frames(url.replace("http://", f"http://x:{KEY}@")) == 30
    refused = subprocess.run(
        ["ffprobe", "-v", "error", url.replace("http://", "http://x:wrong@")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "401" in refused.stderr


@pytest.mark.parametrize("path", PATHS)
def test_ffmpeg_plays_a_signed_link(server: Server, path: str) -> None:
    url = link(server, path)
    assert frames(url) == 30
    if "m3u8" not in path:
        part = httpx.get(url, headers={"range": "bytes=0-99"})
        assert (part.status_code, len(part.content)) == (206, 100)
        assert httpx.head(url).status_code == 200


def test_ffmpeg_jumps_in_a_signed_match(server: Server) -> None:
    url = link(server, f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8")
    command = ["ffmpeg", "-v", "error", "-nostdin", "-ss", "1", "-i", url, "-frames:v", "5"]
    subprocess.run([*command, "-f", "null", "-"], check=True, timeout=60)


COUNTED = 1.6
"""Seconds of each: the clip is no longer."""


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("as_link", [False, True], ids=["password", "link"])
@pytest.mark.parametrize("player", [name for name in FILMING if name != "ffmpeg"])
def test_a_player_opens_all_that_a_playlist_names(
    server: Server,
    tmp_path: Path,
    player: str,
    as_link: bool,  # noqa: FBT001
    path: str,
) -> None:
    url = f"{root(server)}{path}".replace("http://", f"http://x:{KEY}@")
    where = link(server, path) if as_link else url
    seen = counters(FILMING[player](Wanted(where, seconds=COUNTED), tmp_path), most=30)
    assert len(seen) >= 20
    assert seen == sorted(seen)


def test_without_a_password_or_a_link_players_stay_outside(server: Server) -> None:
    for path in PATHS:
        assert httpx.get(f"{root(server)}{path}").status_code == 401


def test_sessions_outlive_the_server_and_sign_outs_too(server: Server) -> None:
    url = f"{root(server)}/api/v1/session"
    kept, ended = (
        httpx.post(url, json={"key": KEY}).headers["set-cookie"].partition(";")[0] for _ in range(2)
    )
    httpx.delete(url, headers={"cookie": ended})
    server.terminate()
    server.start()
    url = f"{root(server)}/api/v1/session"
    wait_for(
        lambda: httpx.get(url, headers={"cookie": kept}).json()["signed_in"], "the record is read"
    )
    assert httpx.get(url, headers={"cookie": ended}).json()["signed_in"] is False
