from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import Any, cast

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from support.shownfakes import FakeCamera, FakeLive
from support.supervised import supervised_tasks
from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.live.preview import Preview
from touchline.capture.live.previewstatus import transcode_of
from touchline.capture.live.shown import LiveCameras
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings
from touchline.core.errors import Blocked, Failed, NotFound, Refused

pytestmark = pytest.mark.anyio


class Rig:
    """A preview of two cameras with nothing real behind it."""

    def __init__(self, **settings: Any) -> None:
        self.lease = CameraLease()
        self.live = FakeLive()
        self.cameras = {n: FakeCamera.make(n) for n in (0, 1)}
        live = cast("LiveLink", self.live)
        made = PreviewSettings(**settings)
        self.showing = LiveCameras(made, live, start_timeout_s=5)
        self.preview = Preview(
            made, cast("Mapping[int, Camera]", self.cameras), self.lease, live, self.showing
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Rig]:
        async with supervised_tasks() as tasks:
            tasks.keep("preview lease", self.preview.follow_lease, every_s=0.0)
            yield self

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """As the recorder takes the lease."""
        if self.lease.mode != "idle":
            await self.lease.make_way()
        with self.lease.hold("recording", "api-recording-m1"):
            yield

    def mode(self) -> str:
        return str(self.lease.mode)

    def active(self) -> list[int]:
        cameras = self.preview.status()["cameras"]
        return [n for n in self.cameras if cameras[f"camera_{n}"]["active"]]


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.005)


async def test_the_lease_is_held_as_long_as_anything_is_shown() -> None:
    async with Rig().open() as rig:
        await rig.preview.start(0, None)
        assert rig.lease.to_json()["holder"] == "api-preview-0"
        await rig.preview.start(1, None)
        await rig.preview.stop(0)
        assert rig.mode() == "preview"
        await rig.preview.stop(1)
        assert rig.mode() == "idle"
        assert rig.cameras[0].link.asked == ["feed", "unfeed"]


async def test_starting_twice_changes_nothing_and_another_transport_switches() -> None:
    async with Rig().open() as rig:
        await rig.preview.start(None, "hls")
        asked = list(rig.live.asked)
        again = await rig.preview.start(None, " HLS ")
        assert again["cameras_started"] == [0, 1]
        assert rig.live.asked == asked
        await rig.preview.start(1, "webrtc")
        assert rig.live.asked[len(asked) :] == [("hls_stop", "cam1")]
        assert rig.preview.shows_hls(0)
        assert not rig.preview.shows_hls(1)


@pytest.mark.parametrize(
    ("mode", "asked", "used"),
    [
        ("dual", None, "hls"), ("dual", "garbage", "hls"), ("dual", "WebRTC", "webrtc"),
        ("webrtc", None, "webrtc"), ("webrtc", "hls", "hls"), ("hls", "", "hls"),
    ],
)  # fmt: skip
async def test_the_transport_is_the_asked_one_or_the_servers(
    mode: str, asked: str | None, used: str
) -> None:
    async with Rig(transport_mode=mode).open() as rig:
        assert (await rig.preview.start(0, asked))["transport"] == used


async def test_a_camera_without_pictures_fails_alone() -> None:
    async with Rig().open() as rig:
        rig.live.dark.add("cam1")
        report = await rig.preview.start(None, None)
        assert report["cameras_started"] == [0]
        assert report["cameras_failed"] == [1]
        assert rig.cameras[1].link.asked == ["feed", "unfeed"]
        await rig.preview.stop(0)
        rig.cameras[0].link.gone = True
        assert not (await rig.preview.start(0, None))["success"]
        assert rig.lease.mode == "idle"


async def test_a_recording_refuses_viewers_and_leaves_its_lease_alone() -> None:
    async with Rig().open() as rig, rig.recording():
        for call in (rig.preview.start, rig.preview.restart):
            with pytest.raises(Refused) as refused:
                await call(None, None)
            assert refused.value.code == "recording_active"
        assert rig.lease.mode == "recording"


async def test_a_calibration_is_not_disturbed() -> None:
    async with Rig().open() as rig:
        with rig.lease.hold("calibration", "somebody"), pytest.raises(Blocked) as blocked:
            await rig.preview.start(None, None)
        assert blocked.value.message == (
            "Could not acquire camera resources. Current mode: calibration"
        )


async def test_a_recording_that_begins_while_a_preview_starts_wins() -> None:
    async with Rig().open() as rig:
        rig.live.may_answer = anyio.Event()
        reports = []
        async with anyio.create_task_group() as tasks:

            async def start() -> None:
                reports.append(await rig.preview.start(None, None))

            tasks.start_soon(start)
            await until(lambda: ("wait_up", "cam1") in rig.live.asked)
            async with rig.recording():
                assert rig.active() == []
                await until(lambda: bool(reports))
                assert not reports[0]["success"]
                assert rig.lease.mode == "recording"


async def test_a_recording_that_begins_before_a_preview_shows_anything_wins() -> None:
    async with Rig().open() as rig:
        rig.live.there = anyio.Event()
        reports = []
        async with anyio.create_task_group() as tasks:

            async def start() -> None:
                reports.append(await rig.preview.start(None, None))

            tasks.start_soon(start)
            await until(lambda: rig.lease.mode == "preview")
            async with rig.recording():
                rig.live.there.set()
                await until(lambda: bool(reports))
                assert not reports[0]["success"]
                assert rig.active() == []
                assert rig.cameras[0].link.asked == []


async def test_allowed_viewers_outlast_the_recording_and_get_the_lease() -> None:
    async with Rig().open() as rig:
        rig.preview.allow_while_recording(allowed=True)
        await rig.preview.start(None, None)
        async with rig.recording():
            assert rig.active() == [0, 1]
            await rig.preview.stop(1)
            await rig.preview.start(1, "webrtc")
            assert rig.lease.to_json()["can_preview"]
        await until(lambda: rig.lease.mode == "preview")
        assert rig.lease.to_json()["holder"] == "api-preview-all"
        await rig.preview.stop(None)
        assert rig.lease.mode == "idle"


async def test_viewers_of_a_recording_leave_when_they_are_no_longer_allowed() -> None:
    async with Rig().open() as rig:
        rig.preview.allow_while_recording(allowed=True)
        async with rig.recording():
            await rig.preview.start(None, None)
            rig.preview.allow_while_recording(allowed=False)
            await until(lambda: rig.active() == [])
            assert rig.lease.mode == "recording"


async def test_a_webrtc_preview_goes_with_its_last_viewer_and_an_hls_one_stays() -> None:
    async with Rig().open() as rig:
        one, two = await rig.preview.join(0), await rig.preview.join(0)
        await rig.preview.leave(one)
        await rig.preview.leave(one)
        assert rig.active() == [0]
        await rig.preview.leave(two)
        assert rig.active() == []
        assert rig.lease.mode == "idle"
        await rig.preview.start(0, "hls")
        await rig.preview.leave(await rig.preview.join(0))
        assert rig.active() == [0]


async def test_a_viewer_from_before_a_restart_takes_nothing_away() -> None:
    async with Rig().open() as rig:
        old = await rig.preview.join(0)
        await rig.preview.restart(0, "webrtc")
        new = await rig.preview.join(0)
        await rig.preview.leave(old)
        assert rig.active() == [0]
        await rig.preview.leave(new)
        assert rig.active() == []


async def test_who_cannot_watch_is_told_why() -> None:
    async with Rig().open() as rig:
        with pytest.raises(NotFound):
            await rig.preview.join(7)
        rig.live.dark.add("cam0")
        rig.cameras[0].status = {"state": "retrying", "last_error": "no route to host"}
        with pytest.raises(Failed, match="no route to host"):
            await rig.preview.join(0)
        async with rig.recording():
            with pytest.raises(Refused):
                await rig.preview.join(1)


async def test_what_is_shown_is_shown_again_by_a_new_live_process_and_a_new_worker() -> None:
    async with Rig().open() as rig:
        await rig.preview.start(0, "hls")
        rig.live.asked.clear()
        rig.live.events[0]({"event": "lost"})
        await rig.live.started()
        assert rig.live.asked == [("hls_start", "cam0")]
        assert rig.cameras[0].link.asked == ["feed", "feed"]
        await rig.showing.camera_connected(cast("Camera", rig.cameras[0]))
        await rig.showing.camera_connected(cast("Camera", rig.cameras[1]))
        assert rig.cameras[0].link.asked == ["feed", "feed", "feed"]
        assert rig.cameras[1].link.asked == []


async def test_states_are_told_in_the_contracts_words() -> None:
    async with Rig().open() as rig:

        def state() -> str:
            return str(rig.preview.status()["cameras"]["camera_0"]["state"])

        assert state() == "stopped"
        rig.live.may_answer = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.preview.start, 0, None)
            await until(lambda: state() == "starting")
            rig.live.may_answer.set()
            await until(lambda: state() == "running")
        rig.cameras[0].state = "error"
        assert state() == "error"
        await rig.preview.stop(None)
        assert state() == "idle"


async def test_sessions_are_listed_as_the_contract_has_them() -> None:
    async with Rig().open() as rig:
        rig.live.status = {
            "webrtc_sessions": [{"session": "s", "camera": "cam1", "viewer": "c", "state": "new"}]
        }
        assert rig.preview.status()["webrtc_streams"] == [
            {"session_id": "s", "stream_kind": "main_cam1", "camera_id": 1, "connection_id": "c"}
        ]


async def test_a_camera_that_is_shown_through_a_transcode_says_so_and_why() -> None:
    async with Rig().open() as rig:
        cam0 = {"reorders": True, "joinable": True}
        cam1 = {"reorders": False, "joinable": True}
        rig.live.status = {"webrtc_sessions": [], "streams": {"cam0": cam0, "cam1": cam1}}
        cameras = rig.preview.status()["cameras"]
        assert cameras["camera_0"]["transcode"] == transcode_of(rig.live.status, "cam0")
        assert cameras["camera_1"]["transcode"] is None
        told = {"state": "failed", "reason": "r", "error": "e", "viewers": 2, "over_hls": True}
        rig.live.status = {**rig.live.status, "transcodes": {"cam0": {**told, "pid": 1}}}
        assert rig.preview.status()["cameras"]["camera_0"]["transcode"] == told


async def test_a_camera_is_shown_to_whoever_asks_while_the_panorama_is_being_taken_down() -> None:
    async with Rig().open() as rig:
        held = ExitStack()
        held.enter_context(rig.lease.hold("preview", "api-panorama-preview"))

        async def take_down(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            with rig.lease.letting_go():
                task_status.started()
                await anyio.sleep(0.05)
                held.close()

        async with anyio.create_task_group() as tasks:
            await tasks.start(take_down)
            assert (await rig.preview.start(0, "webrtc"))["success"]


async def test_cameras_that_are_being_hidden_are_waited_for_by_whoever_wants_them_next() -> None:
    async with Rig().open() as rig:
        await rig.preview.start(None, "hls")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.preview.stop, None)
            await anyio.lowlevel.checkpoint()
            await rig.lease.settled()
            assert rig.lease.mode == "idle"
