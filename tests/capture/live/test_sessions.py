from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
import pytest

from support.played import ANSWER, PlayedPanorama, PlayedPreview
from support.supervised import supervised_tasks
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.preview import Preview
from touchline.capture.live.sessions import WebRtcSession, WebRtcSessions, ignore_end
from touchline.core.errors import Blocked, Failed, NotFound, Refused
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
        self.ended: list[tuple[str, str]] = []

    async def start(self, camera_id: int = 0) -> WebRtcSession:
        """A session whose end is noted."""
        return await self.sessions.start(
            "a", camera_id, lambda session, why: self.ended.append((session.session_id, why))
        )


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with supervised_tasks() as tasks:
        yield Rig(tasks)


async def nothing() -> None:
    """Leave nothing."""


@pytest.mark.parametrize(
    ("stream", "kind", "camera_id"), [("cam3", "main_cam3", 3), ("panorama", "panorama", None)]
)
def test_a_session_is_of_a_camera_or_of_the_panorama(
    stream: str, kind: str, camera_id: int | None
) -> None:
    session = WebRtcSession("s", "a", stream, nothing, ignore_end)
    assert (session.stream_kind, session.camera_id) == (kind, camera_id)


async def test_a_session_is_its_owners_alone(rig: Rig) -> None:
    session = await rig.sessions.start("a", 1)
    assert rig.sessions.find(session.session_id, "a") is session
    with pytest.raises(Refused) as foreign:
        rig.sessions.find(session.session_id, "b")
    assert foreign.value.code == "foreign_session"
    for unknown in ("s9", None, 5):
        with pytest.raises(NotFound):
            rig.sessions.find(unknown, "a")
    assert (rig.sessions.count, rig.sessions.has_camera(1)) == (1, True)
    assert not rig.sessions.has_camera(2)


async def test_an_answer_tells_whose_candidates_are_the_viewers(rig: Rig) -> None:
    session = await rig.sessions.start("a", 0)
    assert await rig.sessions.answer(session, "v=0") == ANSWER
    assert session.ice_username == "abcd"


async def test_a_start_that_fails_leaves_no_viewer(rig: Rig) -> None:
    rig.live.refuses["webrtc_start"] = Failed("8 viewers are enough", code="too_many_viewers")
    with pytest.raises(Blocked, match="8 viewers are enough"):
        await rig.sessions.start("a", 0)
    rig.live.refuses["webrtc_start"] = Failed("no", code="other")
    with pytest.raises(Failed, match="no"):
        await rig.sessions.start("a", 0)
    assert (rig.preview.viewers, rig.sessions.count) == ([], 0)


async def test_a_machine_without_webrtc_says_so(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.preview, "webrtc_supported", False)
    for start in (rig.sessions.start("a", 0), rig.sessions.start_panorama("a")):
        with pytest.raises(Failed, match="not available"):
            await start
    assert rig.live.asked == []


async def test_a_stop_is_the_end_once_even_if_the_live_process_is_gone(rig: Rig) -> None:
    session = await rig.start()
    rig.live.refuses["webrtc_stop"] = Blocked("it is gone", code="live_unavailable")
    await rig.sessions.stop(session)
    await rig.sessions.stop(session)
    assert (rig.preview.viewers, rig.sessions.count, rig.ended) == ([], 0, [])


async def test_all_of_one_owner_end_and_no_others(rig: Rig) -> None:
    for owner in ("a", "b", "a"):
        await rig.sessions.start(owner, 0)
    await rig.sessions.stop_all_of("a")
    assert (rig.sessions.count, rig.preview.viewers) == (1, [0])


async def test_a_session_that_breaks_off_is_told_and_its_viewer_leaves(rig: Rig) -> None:
    session = await rig.start()
    rig.live.tell(
        {"event": "webrtc_state", "state": "closed", "session": session.session_id, "reason": "ICE"}
    )
    rig.live.tell({"event": "webrtc_state", "state": "connected", "session": "s9"})
    assert rig.ended == [(session.session_id, "ICE")]
    with anyio.fail_after(30.0):
        while rig.preview.viewers:
            await anyio.sleep(0.005)


async def test_with_the_live_process_every_session_ends(rig: Rig) -> None:
    sessions = [await rig.start(n) for n in (0, 1)]
    rig.live.tell({"event": "lost"})
    assert [each for each, _ in rig.ended] == [each.session_id for each in sessions]
    assert rig.sessions.count == 0
