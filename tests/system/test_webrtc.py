"""WebRTC on the real server: a real browser, a standard player, and many who come and go."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from support.browser import Watching, browser
from support.footage import assert_complete
from support.live import LiveRig, live_rig
from support.rtsp import rtsp_camera
from support.server import SMALL, Server, serving, wait_for
from support.viewer import Viewer

NO_STUN = {"stun_server": ""}
SDP = {"content-type": "application/sdp"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, preview=NO_STUN) as made:
        yield made


def origin(server: Server) -> str:
    """The server's address without a path."""
    return str(server.client.base_url).split("/api/")[0]


def rising(counters: list[int]) -> bool:
    """Never backwards. A busy browser may paint a picture twice; most are painted once."""
    return all(b >= a for a, b in pairwise(counters)) and len(set(counters)) > 0.8 * len(counters)


# ----------------------------------------------------------------- in the browser


def test_a_browser_plays_both_cameras_over_the_websocket(server: Server) -> None:
    with browser() as chromium:
        watching = Watching(chromium, origin(server), "main_cam0", "main_cam1")
        for kind in ("main_cam0", "main_cam1"):
            counters = watching.shows(kind, 60)
            assert rising(counters), counters
            steps = [b - a for a, b in pairwise(counters)]
            assert statistics.median(steps) == 1, steps
        preview = server.get("/preview")
        assert preview["preview_active"]
        assert {s["stream_kind"] for s in preview["webrtc_streams"]} == {"main_cam0", "main_cam1"}
        assert {c["transport"] for c in preview["cameras"].values()} == {"webrtc"}
        (first, _) = watching.messages("webrtc_session_ready")
        assert first["data"]["success"]
        assert len(watching.messages("webrtc_answer")) == 2
        assert watching.messages("webrtc_ice_candidate")
        assert not watching.messages("webrtc_error"), watching.messages("webrtc_error")
        watching.stop()
        wait_for(lambda: not server.get("/preview")["preview_active"], "idle again")
        assert server.get("/pipeline-state")["mode"] == "idle"


def test_two_browsers_watch_one_camera_and_the_second_stays_when_the_first_leaves(
    server: Server,
) -> None:
    with browser() as chromium:
        first = Watching(chromium, origin(server), "main_cam0")
        second = Watching(chromium, origin(server), "main_cam0")
        first.shows("main_cam0", 20)
        second.shows("main_cam0", 20)
        first.page.close()
        so_far = len(second.frames("main_cam0"))
        assert rising(second.shows("main_cam0", 60, start=so_far))
        streams = server.get("/preview")["webrtc_streams"]
        assert [s["stream_kind"] for s in streams] == ["main_cam0"]


def test_a_browser_comes_back_when_the_server_was_killed_and_started_again(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, {0: SMALL}, preview=NO_STUN)
    with socket.create_server(("127.0.0.1", 0)) as free:
        server.port = free.getsockname()[1]
    server.start()
    try:
        with browser() as chromium:
            watching = Watching(chromium, origin(server), "main_cam0")
            watching.shows("main_cam0", 20)
            server.kill()
            server.start()
            wait_for(lambda: len(watching.messages("webrtc_answer")) == 2, "answered again")
            so_far = len(watching.frames("main_cam0"))
            watching.shows("main_cam0", 30, start=so_far)
            assert len(server.get("/preview")["webrtc_streams"]) == 1
    finally:
        server.close()


def test_one_who_joins_a_camera_with_rare_keyframes_sees_the_present(
    tmp_path: Path,
) -> None:
    with (
        rtsp_camera(gop_s=10) as camera,
        serving(tmp_path, {0: {"kind": "rtsp", "url": camera.url}}, preview=NO_STUN) as server,
        browser() as chromium,
    ):
        early = Watching(chromium, origin(server), "main_cam0")
        early.shows("main_cam0", 90)
        late = Watching(chromium, origin(server), "main_cam0")
        late.shows("main_cam0", 30)
        began_ms = late.frames("main_cam0")[0]["at"]
        time.sleep(1.0)  # what both have shown until now is what is compared
        seen = {f["counter"]: f["at"] for f in early.frames("main_cam0")}
        behind_ms = [
            f["at"] - seen[f["counter"]]
            for f in late.frames("main_cam0")
            if f["at"] > began_ms + 1000 and f["counter"] in seen
        ]
        assert behind_ms, "the two showed no frame in common"
        # Far from the keyframe, which may be ten seconds old.
        assert statistics.median(behind_ms) < 2000


def test_a_camera_encoded_with_b_frames_plays_in_order(tmp_path: Path) -> None:
    with (
        serving(tmp_path, {0: SMALL}, preview=NO_STUN, quality="balanced") as server,
        browser() as chromium,
    ):
        watching = Watching(chromium, origin(server), "main_cam0")
        counters = watching.shows("main_cam0", 40)
        assert rising(counters), counters


# ------------------------------------------------------------ WHEP, as players do it


async def whep(server: Server, viewer: Viewer, stream: str = "cam0") -> httpx.Response:
    """Post the viewer's offer; take the answer if there is one."""
    async with httpx.AsyncClient(base_url=origin(server), timeout=20) as client:
        offer = await viewer.offer()
        answer = await client.post(f"/api/v1/whep/{stream}", content=offer, headers=SDP)
        if answer.status_code == 201:
            await viewer.accept(answer.text)
        return answer


@pytest.mark.anyio
async def test_a_standard_player_watches_over_whep(server: Server) -> None:
    viewer = Viewer()
    answer = await whep(server, viewer)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/sdp"
    assert rising(await viewer.frames(30))
    session = httpx.URL(origin(server)).join(answer.headers["location"])
    tag = {**FRAGMENT, "if-match": answer.headers["etag"]}
    fragment = (
        f"a=ice-ufrag:{answer.headers['etag'][1:-1]}\r\nm=video 9 X 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 1 192.0.2.9 5000 typ host\r\na=end-of-candidates\r\n"
    )
    async with httpx.AsyncClient(timeout=20) as client:
        assert (await client.patch(session, content=fragment, headers=tag)).status_code == 204
        stale = {**tag, "if-match": '"other"'}
        assert (await client.patch(session, content=fragment, headers=stale)).status_code == 412
        restart = "a=ice-ufrag:newname\r\na=ice-pwd:x\r\n"
        assert (await client.patch(session, content=restart, headers=tag)).status_code == 422
        assert (await client.patch(session, content=fragment, headers=SDP)).status_code == 415
        bad = "a=candidate:nonsense\r\n"
        assert (await client.patch(session, content=bad, headers=tag)).status_code == 400
        assert (await client.get(session)).status_code == 204
        assert rising(await viewer.more(10))
        assert (await client.delete(session)).status_code == 200
        await viewer.ended()
        for method in ("DELETE", "PATCH", "GET"):
            gone = await client.request(method, session, content=fragment, headers=tag)
            assert gone.status_code == 404, method
    await viewer.close()
    assert not server.get("/preview")["preview_active"]


def test_what_whep_refuses_and_how(server: Server) -> None:
    client = server.client
    options = client.options("/whep/cam0")
    assert (options.status_code, options.headers["accept-post"]) == (200, "application/sdp")
    assert client.get("/whep/cam0").status_code == 204
    assert client.put("/whep/cam0").status_code == 405
    wrong = client.post("/whep/cam0", json={})
    assert (wrong.status_code, wrong.headers["accept-post"]) == (415, "application/sdp")
    assert client.post("/whep/cam0", content="hello", headers=SDP).status_code == 400
    no_video = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    assert client.post("/whep/cam0", content=no_video, headers=SDP).status_code == 406
    for stream in ("cam7", "cam00", "main_cam0", "x"):
        assert client.post(f"/whep/{stream}", content="v=0", headers=SDP).status_code == 404
    assert not server.get("/preview")["preview_active"], "a refused offer left a preview"
    server.started("busy")
    busy = client.post("/whep/cam0", content=no_video, headers=SDP)
    assert busy.status_code == 409
    assert int(busy.headers["retry-after"]) > 0
    assert server.stop()["success"]


# ----------------------------------------------------------- beside a recording


@pytest.mark.anyio
async def test_viewers_who_come_and_go_during_a_recording_cost_it_no_frame(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, preview=NO_STUN, preview_while_recording=True) as server:
        server.started("watched")
        for _ in range(4):
            viewers = [Viewer(), Viewer(), Viewer()]
            for viewer, stream in zip(viewers, ("cam0", "cam0", "cam1"), strict=True):
                assert (await whep(server, viewer, stream)).status_code == 201
            await asyncio.gather(*(viewer.frames(15) for viewer in viewers))
            assert server.get("/pipeline-state")["mode"] == "recording"
            await asyncio.gather(*(viewer.close() for viewer in viewers))
        report = server.stop()
        assert report["success"], report
        for camera in (0, 1):
            assert_complete(server, "watched", camera)


# -------------------------------------------------------------- nothing is left


class Weight:
    """What a process holds: threads, descriptors, memory."""

    def __init__(self, pid: int) -> None:
        process = psutil.Process(pid)
        self.threads = process.num_threads()
        self.descriptors = process.num_fds()
        self.memory_bytes = process.memory_full_info().uss


async def _come_and_go(rig: LiveRig, rounds: int, at_once: int) -> None:
    for _ in range(rounds):
        viewers = [Viewer() for _ in range(at_once)]
        sessions = []
        for viewer in viewers:
            session = rig.live.done("webrtc_start", camera="cam0", viewer="one of many")["session"]
            offer = await viewer.offer()
            answer = rig.live.done("webrtc_offer", session=session, sdp=offer)
            await viewer.accept(answer["sdp"])
            sessions.append(session)
        await asyncio.gather(*(viewer.frames(1) for viewer in viewers))
        # Half of them hang up, half are hung up on.
        for session in sessions[::2]:
            rig.live.done("webrtc_stop", session=session)
        await asyncio.gather(*(viewer.close() for viewer in viewers))


@pytest.mark.slow
def test_after_two_hundred_joins_and_leaves_nothing_is_left(tmp_path: Path) -> None:
    with live_rig(tmp_path) as rig:
        rig.camera(0, SMALL)
        asyncio.run(_come_and_go(rig, rounds=5, at_once=8))
        before = _rested(rig)
        asyncio.run(_come_and_go(rig, rounds=25, at_once=8))
        after = _rested(rig)
        assert after.threads <= before.threads
        assert after.descriptors <= before.descriptors
        # Python keeps what it was given; 200 leaked sessions would be 30 MB and more.
        assert after.memory_bytes - before.memory_bytes < 6_000_000


def _rested(rig: LiveRig) -> Weight:
    """What the live process holds when the last viewer has gone."""
    wait_for(lambda: not rig.live.done("webrtc_sessions")["sessions"], "without sessions")
    return Weight(rig.live_pid)
