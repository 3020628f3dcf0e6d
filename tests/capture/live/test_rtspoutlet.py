from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import anyio.lowlevel
import pytest

from support.scriptedlinks import ScriptedLive
from support.supervised import supervised_tasks
from touchline.capture.live.preview import Preview
from touchline.capture.live.rtspoutlet import RtspOutlet
from touchline.capture.live.shown import Viewer
from touchline.capture.programs.viewer import LiveLink
from touchline.capture.settings.preview import PreviewSettings
from touchline.core.errors import Blocked, Failed, NotFound
from touchline.core.events.log import EventLog
from touchline.core.supervision import Tasks
from touchline.core.tasks import Changed

pytestmark = pytest.mark.anyio


class FakePreview:
    """Shows camera 0 to anybody, and has no other."""

    def __init__(self) -> None:
        self.rtsp_port: int | None = None
        self.viewers: list[Viewer] = []
        self.changed = Changed()

    def serve_rtsp_at(self, port: int | None) -> None:
        self.rtsp_port = port

    def camera_id(self, name: str) -> int:
        if name != "cam0":
            raise NotFound(f"Camera {name} does not exist", code="camera_unknown")
        return 0

    async def join(self, camera_id: int, what: str) -> Viewer:
        viewer = Viewer(camera_id, what)
        self.viewers.append(viewer)
        self.changed.mark()
        return viewer

    async def leave(self, viewer: Viewer) -> None:
        self.viewers.remove(viewer)
        self.changed.mark()


class Stage:
    """An outlet and what is around it."""

    def __init__(self, tasks: Tasks) -> None:
        self.live = ScriptedLive(rtsp_start={"port": 8554}, rtsp_admit={"here": True})
        self.preview = FakePreview()
        self.recorded: list[dict[str, Any]] = []
        self.outlet = RtspOutlet(
            PreviewSettings(rtsp_password="s3cret"),
            cast("Preview", self.preview),
            cast("LiveLink", self.live),
            cast("EventLog", self),
            tasks,
        )

    def record(self, kind: str, category: str, message: str, **details: Any) -> None:
        self.recorded.append({"kind": kind, "category": category, **details})

    def port(self) -> int | None:
        return self.preview.rtsp_port

    async def settle(self) -> None:
        """Let all that was started come to its end."""
        for _ in range(10):
            await anyio.lowlevel.checkpoint()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with supervised_tasks() as tasks:
        yield Stage(tasks)


async def test_the_port_that_is_served_is_shown_until_the_process_goes(stage: Stage) -> None:
    stage.outlet.begin()
    await stage.settle()
    assert stage.port() == 8554
    assert stage.live.fields["rtsp_start"]["password"] == "s3cret"
    stage.live.tell("lost")
    assert stage.port() is None


async def test_a_port_that_is_taken_leaves_the_rest_as_it_is(stage: Stage) -> None:
    stage.live.answers["rtsp_start"] = Failed("the port is in use", code="port_taken")
    stage.outlet.begin()
    await stage.settle()
    assert stage.live.asked == ["rtsp_start"]
    assert stage.port() is None


async def test_a_live_process_that_does_not_come_is_waited_for(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.live.cannot_start = Blocked("The live process cannot be started.", code="gone")
    stage.outlet.begin()
    await stage.settle()
    assert stage.port() is None
    stage.live.cannot_start = None
    await stage.live.ensure()  # somebody else needed it
    assert stage.port() == 8554
    assert "The live process cannot be started." in caplog.text


async def test_a_client_counts_as_a_viewer_while_it_is_here(stage: Stage) -> None:
    stage.outlet.begin()
    stage.live.tell("rtsp_viewer", viewer="a", camera="cam0", here=True)
    await stage.settle()
    assert [viewer.what for viewer in stage.preview.viewers] == ["rtsp"]
    assert stage.live.fields["rtsp_admit"] == {"viewer": "a", "reason": None}
    for _ in range(2):
        stage.live.tell("rtsp_viewer", viewer="a", camera="cam0", here=False)
    await stage.settle()
    assert stage.preview.viewers == []


async def test_a_client_is_told_why_its_camera_is_not_shown(stage: Stage) -> None:
    stage.outlet.begin()
    stage.live.tell("rtsp_viewer", viewer="a", camera="cam9", here=True)
    await stage.settle()
    assert "cam9" in stage.live.fields["rtsp_admit"]["reason"]
    assert stage.preview.viewers == []


@pytest.mark.parametrize("answer", [{"here": False}, Failed("no", code="no")])
async def test_a_client_that_left_meanwhile_is_no_viewer(stage: Stage, answer: Any) -> None:
    stage.live.answers["rtsp_admit"] = answer
    version = stage.preview.changed.version
    stage.outlet.begin()
    stage.live.tell("rtsp_viewer", viewer="a", camera="cam0", here=True)
    await stage.settle()
    assert stage.preview.viewers == []
    assert stage.preview.changed.version == version + 2


async def test_whoever_tries_passwords_is_an_event(stage: Stage) -> None:
    stage.live.tell("rtsp_refused", address="192.0.2.7", attempts=10)
    (event,) = stage.recorded
    assert event == {
        "kind": "system",
        "category": "warning",
        "address": "192.0.2.7",
        "attempts": 10,
    }
