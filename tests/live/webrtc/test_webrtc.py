"""Viewers with a connection each: aiortc as the browser, coded frames of a simulated camera."""

from __future__ import annotations

import asyncio
import socket
import time
from itertools import pairwise
from typing import Any

import pytest
from aiortc import RTCIceGatherer

from support.codedcamera import COUNTERS, GOP
from support.shows import showing
from support.viewer import Viewer
from touchline.ipc.control import Problem
from touchline.live.webrtc.webrtc import MAX_SESSIONS, IceServers

pytestmark = pytest.mark.anyio


async def test_a_viewer_sees_every_frame() -> None:
    async with showing() as show:
        session, viewer = await show.join()
        counters = await viewer.frames(GOP)
        steps = {(b - a) % COUNTERS for a, b in pairwise(counters)}
        assert steps == {1}
        assert show.states(session) == ["new", "connecting", "connected"]
        (told,) = show.peers.sessions()
        assert (told["camera"], told["viewer"], told["state"]) == ("cam0", "a test", "connected")
        assert told["frames"] >= GOP


async def test_one_who_joins_late_is_shown_the_past_at_once_and_then_the_present() -> None:
    async with showing() as show:
        show.push(GOP - 1)  # and no keyframe for nearly a second
        asked_at_s = time.monotonic()
        _, viewer = await show.join()
        counters = await viewer.frames(GOP // 2)
        assert viewer.first_frame_at_s is not None
        assert viewer.first_frame_at_s - asked_at_s < 1.0
        assert counters[0] % GOP == 0
        assert {(b - a) % COUNTERS for a, b in pairwise(counters)} == {1}


async def test_viewers_are_independent_of_each_other() -> None:
    async with showing() as show:
        (first_session, first), (_, second) = await show.join(), await show.join()
        await asyncio.gather(first.frames(5), second.frames(5))
        await show.peers.stop(first_session)
        await second.more(GOP)
        assert show.states(first_session)[-1] == "closed"
        assert len(show.peers.sessions()) == 1
        assert show.streams.get("cam0").subscribers == 1


async def test_a_viewer_who_hangs_up_is_forgotten() -> None:
    async with showing() as show:
        session, viewer = await show.join()
        await viewer.frames(1)
        await viewer.close()
        await show.until(session, "closed")
        assert show.peers.sessions() == []
        assert show.streams.get("cam0").subscribers == 0


async def test_a_camera_that_is_cleared_hangs_up_on_its_viewers_only() -> None:
    async with showing() as show:
        session, viewer = await show.join()
        other = await show.peers.start("cam1", "somebody else")
        await viewer.frames(1)
        await show.peers.clear("cam0")
        await viewer.ended()
        assert show.states(session)[-1] == "closed"
        assert [told["session"] for told in show.peers.sessions()] == [other]


async def test_a_session_that_never_connects_ends_by_itself() -> None:
    async with showing(connect_within_s=0.1) as show:
        session = await show.peers.start("cam0", "nobody")
        await show.until(session, "closed")
        assert show.events[-1]["reason"] == "no connection within 0.1 s"
        with pytest.raises(Problem, match="Unknown session_id"):
            await show.peers.offer(session, "v=0")


async def test_an_offer_is_answered_once() -> None:
    async with showing() as show:
        session, viewer = await show.join()
        with pytest.raises(Problem, match="already received an offer"):
            await show.peers.offer(session, str(viewer.peer.localDescription.sdp))


@pytest.mark.parametrize(
    ("offer", "code"), [("nonsense", "bad_offer"), ("v=0\r\n", "offer_not_acceptable")]
)
async def test_a_useless_offer_leaves_the_session_waiting_for_a_better_one(
    offer: str, code: str
) -> None:
    async with showing() as show:
        session = await show.peers.start("cam0", "a test")
        with pytest.raises(Problem) as caught:
            await show.peers.offer(session, offer)
        assert caught.value.code == code
        viewer = Viewer()
        answer = await show.peers.offer(session, await viewer.offer())
        await viewer.accept(answer["sdp"])
        await viewer.frames(1)
        await viewer.close()


@pytest.mark.parametrize(
    "candidate",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 2113937151 6d35a007-f84c-4fe9-b61f-4248ee1dd979.local 34553 typ host",
        "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
        "candidate:1 1 udp 2113937151 not.an.address 34553 typ host",
        "a=candidate:1 1 udp 2113937151 192.0.2.77 34553 typ host generation 0",
    ],
)
async def test_candidates_are_taken_or_quietly_left_out_without_delay(candidate: str) -> None:
    async with showing() as show:
        session = await show.peers.start("cam0", "a test")
        taken = asyncio.create_task(show.peers.candidate(session, candidate, 0))
        for _ in range(20):  # turns of the loop: enough for work, too few to ask anybody
            await asyncio.sleep(0)
        assert taken.done()
        taken.result()


@pytest.mark.parametrize("candidate", ["candidate:1 1 udp", "x y z a b c d e f"])
async def test_what_is_no_candidate_is_refused(candidate: str) -> None:
    async with showing() as show:
        session = await show.peers.start("cam0", "a test")
        with pytest.raises(Problem, match=r"cannot be parsed|invalid"):
            await show.peers.candidate(session, candidate, 0)


async def test_there_is_room_for_so_many_and_no_more() -> None:
    async with showing() as show:
        starts = (show.peers.start("cam0", "many") for _ in range(MAX_SESSIONS + 3))
        results = await asyncio.gather(*starts, return_exceptions=True)
        refused = [r for r in results if isinstance(r, Problem)]
        assert [r.code for r in refused] == ["too_many_viewers"] * 3
        assert len(show.peers.sessions()) == MAX_SESSIONS


async def test_a_silent_stun_server_costs_half_a_second_once() -> None:
    ice = IceServers()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("0.0.0.0", 0))
        servers = [{"urls": [f"stun:localhost:{silent.getsockname()[1]}"]}]
        await _gathers_twice(ice, servers)


async def _gathers_twice(ice: IceServers, servers: list[dict[str, Any]]) -> None:
    for least_s, most_s in ((0.4, 2.0), (0.0, 0.3)):
        began_s = time.monotonic()
        gatherer: RTCIceGatherer = await ice.gather(servers)
        took_s = time.monotonic() - began_s
        assert gatherer.getLocalCandidates()
        assert least_s <= took_s <= most_s
        await gatherer._connection.close()
