"""WHEP with players as they are, each in every DTLS role that an offer can leave to the server.

A player offers `actpass`; for the two other roles its offer is changed on the way, as if a gateway
or an older player had made it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from support.browser import WhepPage
from support.server import SMALL, Server, serving, wait_for
from support.viewer import RsaCertificate, Viewer
from support.watching import root

SETUPS = ("actpass", "active", "passive")
SDP = {"content-type": "application/sdp"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, {0: SMALL}, preview={"stun_server": ""}) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_viewer_stays(server: Server) -> Iterator[None]:
    yield
    wait_for(lambda: not server.get("/preview")["webrtc_streams"], "without viewers")


@pytest.mark.parametrize("setup", SETUPS)
def test_webrtcbin_watches(server: Server, setup: str) -> None:
    url = f"{root(server)}/api/v1/whep/cam0"
    script = str(Path(__file__).parents[1] / "assets" / "whep_webrtcbin.py")
    command = [sys.executable, script, url, setup, "30", "40"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert played.returncode == 0, played.stderr
    assert int(played.stdout.split()[-1]) >= 30, played.stderr


@pytest.mark.parametrize("rsa", [False, True], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize("setup", SETUPS)
def test_chromium_watches_with_candidates_that_follow_its_offer(
    server: Server, chromium: Browser, setup: str, *, rsa: bool
) -> None:
    page = WhepPage(chromium, root(server), "cam0", setup=setup, rsa=rsa)
    shown = page.shows(20)
    assert shown == sorted(shown)
    state = page.state()
    assert state["session"] is not None
    assert state["patched"], state
    assert set(state["patched"]) == {204}, state
    assert page.stop() == 200
    assert httpx.get(state["session"]).status_code == 404


@pytest.mark.parametrize("rsa", [False, True], ids=["ecdsa", "rsa"])
@pytest.mark.parametrize("setup", SETUPS)
def test_aiortc_watches(server: Server, setup: str, *, rsa: bool) -> None:
    # On a thread of its own: the browser's driver keeps an event loop on this one.
    with ThreadPoolExecutor(1) as thread:
        shown = thread.submit(asyncio.run, _watch(root(server), setup, rsa=rsa)).result()
    assert shown == sorted(shown)


async def _watch(origin: str, setup: str, *, rsa: bool) -> list[int]:
    viewer = Viewer(setup, RsaCertificate.make() if rsa else None)
    async with httpx.AsyncClient(base_url=origin, timeout=20) as client:
        offer = await viewer.offer()
        answer = await client.post("/api/v1/whep/cam0", content=offer, headers=SDP)
        assert answer.status_code == 201, answer.text
        await viewer.accept(answer.text)
        shown = await viewer.frames(15)
        assert (await client.delete(answer.headers["location"])).status_code == 200
    await viewer.ended()
    await viewer.close()
    return shown
