from __future__ import annotations

from typing import Any, cast

import anyio
import pytest

from support.shownfakes import FakeCamera, FakeLive
from touchline.capture.cameras.cameras import Camera
from touchline.capture.live.shown import LiveCameras
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings

pytestmark = pytest.mark.anyio


class Rig:
    def __init__(self) -> None:
        self.live = FakeLive()
        self.camera = FakeCamera.make(0)
        live = cast("LiveLink", self.live)
        self.shown = LiveCameras(PreviewSettings(), live, start_timeout_s=5)

    async def show(self, transport: Any = "webrtc", *, allowed: bool = True) -> str | None:
        camera = cast("Camera", self.camera)
        return await self.shown.show(camera, transport, allowed=lambda: allowed)

    def asked(self) -> list[str]:
        return [do for do, _ in self.live.asked]


@pytest.fixture
async def rig() -> Rig:
    return Rig()


async def test_a_camera_is_fed_to_the_live_process_until_it_is_hidden(rig: Rig) -> None:
    assert await rig.show() is None
    shown = rig.shown.by_id[0]
    assert (shown.up, rig.camera.link.asked) == (True, ["feed"])
    await rig.shown.hide(shown)
    await rig.shown.hide(shown)  # once is enough
    assert (rig.shown.by_id, rig.camera.link.asked) == ({}, ["feed", "unfeed"])
    assert rig.asked().count("hide") == 1
    assert rig.shown.once == {0}


async def test_another_transport_is_a_change_and_the_same_is_none(rig: Rig) -> None:
    await rig.show("hls")
    version = rig.shown.changed.version
    await rig.show("hls")
    assert rig.asked().count("hls_start") == 1
    await rig.show("webrtc")
    assert rig.asked().count("hls_stop") == 1
    assert rig.shown.changed.version > version
    assert rig.camera.link.asked == ["feed"]


async def test_who_may_not_be_shown_is_not_begun(rig: Rig) -> None:
    assert "using the cameras" in str(await rig.show(allowed=False))
    assert (rig.shown.by_id, rig.live.asked) == ({}, [])


async def test_a_camera_without_pictures_is_hidden_again_and_says_why(rig: Rig) -> None:
    rig.live.dark.add("cam0")
    reason = await rig.show()
    assert reason
    assert rig.shown.by_id == {}
    rig.camera.link.gone = True
    assert "worker of cam0 is not running" in str(await rig.show())
    assert rig.shown.by_id == {}


async def test_a_camera_that_is_hidden_while_it_starts_is_not_waited_for(rig: Rig) -> None:
    rig.live.may_answer = anyio.Event()
    reasons: list[str | None] = []

    async def show() -> None:
        reasons.append(await rig.show())

    with anyio.fail_after(30.0):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(show)
            while "wait_up" not in rig.asked():
                await anyio.sleep(0.005)
            await rig.shown.hide_all([0, 1])
    assert reasons == ["it was stopped while starting"]


async def test_nothing_is_asked_of_a_live_process_that_is_gone(rig: Rig) -> None:
    await rig.show()
    rig.live.connected = False
    await rig.shown.hide_all([0])
    assert "hide" not in rig.asked()
    assert rig.camera.link.asked == ["feed", "unfeed"]
