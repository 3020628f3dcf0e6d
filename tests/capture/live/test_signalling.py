"""Every signalling message of the contract and its answer, with the live process played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import anyio
import pytest

from support.played import ANSWER, ICE, PlayedPanorama, PlayedPreview
from support.supervised import supervised_tasks
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.preview import Preview
from touchline.capture.live.sessions import WebRtcSessions
from touchline.capture.live.signalling import Signalling, candidates_in
from touchline.core.errors import Blocked, Failed, Refused
from touchline.core.supervision import Tasks

pytestmark = pytest.mark.anyio


class Rig:
    def __init__(self, tasks: Tasks) -> None:
        self.preview = PlayedPreview()
        self.live = self.preview.live
        self.lease = CameraLease()
        self.sessions = WebRtcSessions(
            cast("Preview", self.preview), cast("Any", PlayedPanorama()), self.lease, (0, 1), tasks
        )
        self.signalling = Signalling(self.sessions)
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def say(self, kind: str, who: str = "a", **data: Any) -> list[dict[str, Any]]:
        return await self.handle({"v": 1, "type": kind, "data": data}, who)

    async def handle(self, message: dict[str, Any], who: str = "a") -> list[dict[str, Any]]:
        return await self.signalling.handle(who, message, self.tell)

    def tell(self, to: str, message: dict[str, Any]) -> None:
        self.told.append((to, message))

    async def started(self, who: str = "a", camera: int = 0) -> str:
        (ready,) = await self.say("webrtc_start", who, stream_kind=f"main_cam{camera}")
        assert ready["type"] == "webrtc_session_ready", ready
        return str(ready["data"]["session_id"])


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with supervised_tasks() as tasks:
        yield Rig(tasks)


def error(text: str, **names: Any) -> dict[str, Any]:
    return {"type": "webrtc_error", "data": {**names, "error": text}}


async def test_a_start_names_the_session_and_the_servers(rig: Rig) -> None:
    (ready,) = await rig.say("webrtc_start", stream_kind="main_cam1")
    assert ready == {
        "type": "webrtc_session_ready",
        "data": {
            "success": True,
            "session_id": "s1",
            "stream_kind": "main_cam1",
            "camera_id": 1,
            "ice_servers": ICE,
        },
    }
    assert rig.preview.viewers == [1]
    assert rig.live.asked == [
        ("webrtc_start", {"camera": "cam1", "viewer": "a", "ice_servers": ICE})
    ]


async def test_an_offer_is_answered_and_our_addresses_follow_as_messages(rig: Rig) -> None:
    session = await rig.started()
    answer, candidate = await rig.say("webrtc_offer", session_id=session, sdp="v=0")
    names = {"session_id": session, "stream_kind": "main_cam0"}
    assert answer == {"type": "webrtc_answer", "data": {"success": True, **names, "sdp": ANSWER}}
    assert candidate == {
        "type": "webrtc_ice_candidate",
        "data": {
            **names,
            "candidate": "candidate:1 1 udp 1 192.0.2.1 5 typ host",
            "sdpMLineIndex": 1,
        },
    }
    assert candidates_in("") == []


@pytest.mark.parametrize(
    "given",
    [
        {"candidate": "candidate:x", "sdpMLineIndex": 2},
        {"candidate": {"candidate": "candidate:x", "sdpMid": "0", "sdpMLineIndex": 2}},
    ],
)
async def test_each_candidate_is_acknowledged(rig: Rig, given: dict[str, Any]) -> None:
    session = await rig.started()
    answers = await rig.say("webrtc_ice_candidate", session_id=session, **given)
    state = {"session_id": session, "state": "candidate_added"}
    assert answers == [{"type": "webrtc_state", "data": state}]
    assert rig.live.asked[-1] == (
        "webrtc_candidate",
        {"session": session, "candidate": "candidate:x", "sdpMLineIndex": 2},
    )


@pytest.mark.parametrize("nothing_more", [None, ""])
async def test_the_end_of_candidates_is_acknowledged_too(
    rig: Rig, nothing_more: str | None
) -> None:
    session = await rig.started()
    (answer,) = await rig.say("webrtc_ice_candidate", session_id=session, candidate=nothing_more)
    assert answer["data"]["state"] == "candidate_added"


async def test_a_stop_ends_session_and_viewer(rig: Rig) -> None:
    session = await rig.started()
    answers = await rig.say("webrtc_stop", session_id=session)
    state = {"session_id": session, "state": "stopped"}
    assert answers == [{"type": "webrtc_state", "data": state}]
    assert rig.preview.viewers == []
    assert rig.sessions.count == 0
    again = await rig.say("webrtc_stop", session_id=session)
    assert again == [error("Unknown session_id", session_id=session)]


async def test_fields_may_stand_at_the_top_level(rig: Rig) -> None:
    message = {"v": 1, "type": "webrtc_start", "stream_kind": "main_cam0"}
    (ready,) = await rig.handle(message)
    session = ready["data"]["session_id"]
    message = {"v": 1, "type": "webrtc_offer", "session_id": session, "sdp": "v=0"}
    assert (await rig.handle(message))[0]["type"] == "webrtc_answer"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (None, "Unsupported stream_kind: None"),
        ("", "Unsupported stream_kind: "),
        ("main_cam2", "Unsupported stream_kind: main_cam2"),
        ("main_cam00", "Unsupported stream_kind: main_cam00"),
        ("main_cam\u0660", "Unsupported stream_kind: main_cam\u0660"),
        ("panorama", "Panorama not calibrated"),
    ],
)
async def test_streams_there_are_not(rig: Rig, kind: str | None, text: str) -> None:
    answers = await rig.say("webrtc_start", stream_kind=kind)
    assert answers == [error(text, stream_kind=kind)]
    assert rig.live.asked == []


async def test_a_start_that_fails_says_why_and_leaves_no_viewer(rig: Rig) -> None:
    rig.preview.refuses = Refused(
        "Recording is active. Stop recording before starting preview.", code="recording_active"
    )
    answers = await rig.say("webrtc_start", stream_kind="main_cam0")
    text = "Recording is active. Stop recording before starting preview."
    assert answers == [error(text, stream_kind="main_cam0")]
    rig.preview.refuses = None
    rig.live.refuses["webrtc_start"] = Blocked("Not now.")
    answers = await rig.say("webrtc_start", stream_kind="main_cam0")
    assert answers == [error("Not now.", stream_kind="main_cam0")]
    assert rig.preview.viewers == []


async def test_without_the_runtime_it_says_so(rig: Rig) -> None:
    rig.preview.webrtc_supported = False
    answers = await rig.say("webrtc_start", stream_kind="main_cam0")
    assert answers == [error("WebRTC runtime is not available", stream_kind="main_cam0")]


@pytest.mark.parametrize("kind", ["webrtc_offer", "webrtc_ice_candidate", "webrtc_stop"])
@pytest.mark.parametrize("session", [None, "nobody's", 7, [], {}])
async def test_unknown_sessions(rig: Rig, kind: str, session: Any) -> None:
    (answer,) = await rig.say(kind, session_id=session, sdp="v=0", candidate="x")
    assert answer["type"] == "webrtc_error"
    assert answer["data"]["error"] == "Unknown session_id"


@pytest.mark.parametrize("kind", ["webrtc_offer", "webrtc_ice_candidate", "webrtc_stop"])
async def test_a_session_obeys_only_the_connection_it_began_on(rig: Rig, kind: str) -> None:
    session = await rig.started("a")
    answers = await rig.say(kind, "b", session_id=session, sdp="v=0", candidate="x")
    text = "Session does not belong to this connection"
    assert answers == [error(text, session_id=session)]
    assert rig.sessions.count == 1


async def test_the_live_process_own_words_reach_the_client(rig: Rig) -> None:
    session = await rig.started()
    rig.live.refuses["webrtc_offer"] = Failed("The offer is not SDP", code="bad_offer")
    rig.live.refuses["webrtc_candidate"] = Failed("The ICE candidate cannot be parsed")
    answers = await rig.say("webrtc_offer", session_id=session, sdp="x")
    assert answers == [error("The offer is not SDP", session_id=session)]
    answers = await rig.say("webrtc_ice_candidate", session_id=session, candidate="x")
    assert answers == [error("The ICE candidate cannot be parsed", session_id=session)]


async def test_an_offer_or_candidate_of_the_wrong_type_is_refused(rig: Rig) -> None:
    session = await rig.started()
    for kind, given in (
        ("webrtc_offer", {}),
        ("webrtc_offer", {"sdp": 7}),
        ("webrtc_ice_candidate", {"candidate": 7}),
        ("webrtc_ice_candidate", {"candidate": "x", "sdpMLineIndex": "0"}),
    ):
        (answer,) = await rig.say(kind, session_id=session, **given)
        assert answer["type"] == "webrtc_error"


@pytest.mark.parametrize("kind", ["webrtc_dance", None, [], {}])
async def test_other_messages(rig: Rig, kind: Any) -> None:
    answers = await rig.handle({"type": kind, "data": None})
    assert answers == [error(f"Unsupported WebRTC message type: {kind}")]


async def test_a_closed_connection_ends_its_sessions_and_no_others(rig: Rig) -> None:
    for who, camera in (("a", 0), ("a", 1), ("b", 0)):
        await rig.started(who, camera)
    await rig.signalling.closed("a")
    assert rig.preview.viewers == [0]
    assert rig.sessions.count == 1


async def test_a_session_that_breaks_off_is_told_and_its_viewer_leaves(rig: Rig) -> None:
    session = await rig.started()
    state = {"event": "webrtc_state", "session": session, "state": "closed", "reason": "gone"}
    rig.live.tell(state)
    rig.live.tell(state)
    await until(lambda: not rig.preview.viewers)
    assert rig.preview.viewers == []
    state = {"session_id": session, "state": "closed", "reason": "gone"}
    assert rig.told == [("a", {"type": "webrtc_state", "data": state})]


async def test_the_end_of_the_live_process_ends_every_session(rig: Rig) -> None:
    for who in ("a", "b"):
        await rig.started(who)
    rig.live.tell({"event": "lost"})
    await until(lambda: not rig.preview.viewers)
    assert rig.preview.viewers == []
    assert [to for to, _ in rig.told] == ["a", "b"]


async def test_a_preview_that_is_stopped_during_the_start_leaves_nothing(rig: Rig) -> None:
    rig.live.before_reply = lambda: rig.live.tell(
        {"event": "webrtc_state", "session": "s1", "state": "closed"}
    )
    (answer,) = await rig.say("webrtc_start", stream_kind="main_cam0")
    assert answer == error("The preview was stopped in the meantime.", stream_kind="main_cam0")
    assert rig.sessions.count == 0
    assert rig.preview.viewers == []


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.001)


async def is_being_let_go(rig: Rig) -> bool:
    """Whether one who asks for a picture now would wait."""
    with anyio.move_on_after(0.05) as scope:
        await rig.lease.settled()
    return scope.cancelled_caught


async def test_the_cameras_are_being_let_go_from_the_moment_a_session_is_stopped(rig: Rig) -> None:
    session = await rig.started()
    assert not await is_being_let_go(rig)
    meanwhile: list[bool] = []
    ask = rig.live.ask

    async def slowly(do: str, **fields: Any) -> dict[str, Any]:
        meanwhile.append(await is_being_let_go(rig))
        return await ask(do, **fields)

    cast("Any", rig.live).ask = slowly
    await rig.say("webrtc_stop", session_id=session)
    assert meanwhile == [True]
    assert not await is_being_let_go(rig)


async def test_and_from_the_moment_it_is_known_that_one_has_ended(rig: Rig) -> None:
    session = await rig.started()
    rig.live.tell({"event": "webrtc_state", "session": session, "state": "closed"})
    with anyio.fail_after(10):
        await rig.lease.settled()
    assert rig.preview.viewers == []
