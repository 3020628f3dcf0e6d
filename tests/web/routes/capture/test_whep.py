"""WHEP's answers and headers, with the live process played."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.played import ANSWER, PlayedPanorama, PlayedPreview
from support.serving import client_of
from support.supervised import no_tasks
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.preview import Preview
from touchline.capture.live.sessions import WebRtcSessions
from touchline.core.errors import Blocked, Failed, Refused

pytestmark = pytest.mark.anyio

WHEP = "/api/v1/whep/cam0"
SDP = {"content-type": "application/sdp; charset=utf-8"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}


class Rig:
    def __init__(self, folder: Path) -> None:
        self.system = FakeSystem.make(folder)
        self.preview = PlayedPreview()
        self.live = self.preview.live
        self.sessions = WebRtcSessions(
            cast("Preview", self.preview),
            cast("Any", PlayedPanorama()),
            CameraLease(),
            (0, 1),
            no_tasks(),
        )
        cast("Any", self.system.capture).sessions = self.sessions

    async def post(self, path: str = WHEP, content: str | bytes = "v=0", **more: Any) -> Any:
        async with client_of(self.system) as client:
            return await client.post(path, content=content, headers=more or SDP)

    async def started(self) -> httpx.Response:
        answer: httpx.Response = await self.post()
        assert answer.status_code == 201, answer.text
        return answer

    async def patch(self, session: str, fragment: str, **more: str) -> httpx.Response:
        async with client_of(self.system) as client:
            headers = {**FRAGMENT, **{k.replace("_", "-"): v for k, v in more.items()}}
            answer: httpx.Response = await client.patch(session, content=fragment, headers=headers)
            return answer


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_panorama_that_nobody_calibrated_says_so(tmp_path: Path) -> None:
    answer = await Rig(tmp_path).post("/api/v1/whep/panorama")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Panorama not calibrated"


async def test_an_offer_makes_a_session_with_all_that_a_player_needs(rig: Rig) -> None:
    answer = await rig.started()
    assert answer.text == ANSWER
    assert answer.headers["content-type"] == "application/sdp"
    assert answer.headers["location"] == f"{WHEP}/s1"
    assert answer.headers["etag"] == '"abcd"'
    assert answer.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
    assert answer.headers["link"] == (
        '<turn:turn.example:3478>; rel="ice-server"; username="u"; credential="c"'
        '; credential-type="password"'
    )
    assert rig.preview.viewers == [0]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Failed("The offer is not SDP", code="bad_offer"), 400),
        (Failed("The ICE candidate cannot be parsed", code="bad_candidate"), 400),
        (Failed("The offer has no video section", code="offer_not_acceptable"), 406),
        (Blocked("The live process is not running"), 503),
        (Failed("it broke", code="live_error"), 500),
    ],
)
async def test_an_offer_that_is_not_answered_leaves_no_session(
    rig: Rig, error: Failed | Blocked, status: int
) -> None:
    rig.live.refuses["webrtc_offer"] = error
    answer = await rig.post()
    assert answer.status_code == status
    assert answer.json()["detail"] == error.message
    assert rig.sessions.count == 0
    assert rig.preview.viewers == []


async def test_a_full_house_is_not_for_now(rig: Rig) -> None:
    full = Failed("The maximum of 64 viewers is reached", code="too_many_viewers")
    rig.live.refuses["webrtc_start"] = full
    answer = await rig.post()
    assert (answer.status_code, answer.json()["can_retry"]) == (503, True)
    assert int(answer.headers["retry-after"]) > 0
    assert rig.preview.viewers == []


@pytest.mark.parametrize(
    "error",
    [
        Refused("Recording is active.", code="recording_active"),
        Failed("Camera 0 cannot be shown: no frame received", code="no_picture"),
    ],
)
async def test_a_camera_that_cannot_be_watched_now_is_a_conflict_to_come_back_to(
    rig: Rig, error: Refused | Failed
) -> None:
    rig.preview.refuses = error
    answer = await rig.post()
    assert answer.status_code == 409
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json() == {"detail": error.message, "code": error.code}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        ("v=0", {"content-type": "text/plain"}, 415),
        ("v=0", {"content-type": ""}, 415),
        (b"v=0 \xff", SDP, 400),
        ("v" * 70_000, SDP, 413),
    ],
)
async def test_bodies_that_are_not_read(
    rig: Rig, content: str | bytes, headers: dict[str, str], status: int
) -> None:
    assert (await rig.post(WHEP, content, **headers)).status_code == status
    assert rig.live.asked == []


async def test_candidates_are_passed_on_one_by_one(rig: Rig) -> None:
    session = (await rig.started()).headers["location"]
    fragment = "a=ice-ufrag:abcd\r\nm=video 9 X 0\r\na=candidate:one\r\na=candidate:two\r\n"
    assert (await rig.patch(session, fragment, if_match='"abcd"')).status_code == 204
    assert (await rig.patch(session, "")).status_code == 204
    passed = [given["candidate"] for do, given in rig.live.asked if do == "webrtc_candidate"]
    assert passed == ["one", "two"]


async def test_fragments_that_are_refused(rig: Rig) -> None:
    session = (await rig.started()).headers["location"]
    assert (await rig.patch(session, "a=ice-ufrag:new", if_match="*")).status_code == 422
    assert (await rig.patch(session, "", if_match='"other"')).status_code == 412
    rig.live.refuses["webrtc_candidate"] = Failed("cannot be read", code="bad_candidate")
    assert (await rig.patch(session, "a=candidate:x")).status_code == 400


async def test_a_session_belongs_to_its_stream_and_ends_once(rig: Rig) -> None:
    session = (await rig.started()).headers["location"]
    async with client_of(rig.system) as client:
        elsewhere = session.replace("cam0", "cam1")
        assert (await client.delete(elsewhere)).status_code == 404
        assert (await client.get(session)).status_code == 204
        assert (await client.delete(session)).status_code == 200
        assert (await client.delete(session)).status_code == 404
    assert rig.preview.viewers == []


async def test_sessions_of_the_websocket_are_not_to_be_had_here(rig: Rig) -> None:
    session = await rig.sessions.start("a socket", 0)
    async with client_of(rig.system) as client:
        answer = await client.delete(f"{WHEP}/{session.session_id}")
    assert answer.status_code == 404
    assert rig.sessions.count == 1


async def test_with_a_key_only_those_who_have_it_watch(rig: Rig) -> None:
    rig.system.settings.auth.api_key = SecretStr("a-key-of-some-length")
    assert (await rig.post()).status_code == 401
    with_key = {**SDP, "authorization": "Bearer a-key-of-some-length"}
    assert (await rig.post(WHEP, "v=0", **with_key)).status_code == 201
