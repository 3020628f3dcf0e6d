from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from support.coded import frames
from touchline.ipc.tee import Tee
from touchline.media.h264.units import annex_b
from touchline.worker.camera import viewers as module
from touchline.worker.camera.runner import CameraRunner
from touchline.worker.camera.viewers import FeedUnreachable, Unseen, Viewers

pytestmark = pytest.mark.anyio

WITHIN_S = 30.0
PICTURE = b"\0\0\0\4\x65abc"


class PlayedCamera:
    """A camera that runs while it is wanted."""

    def __init__(self) -> None:
        self.wanted = self.playing = self.failed_permanently = False
        self.last_error: str | None = None
        self.keyframes = 0

    def want(self, *, wanted: bool) -> None:
        self.wanted = self.playing = wanted

    def request_keyframe(self) -> None:
        self.keyframes += 1


class PlayedFeed:
    """A feed to a live process that listens, unless its path says that nobody does."""

    def __init__(self, path: Path, name: str, **calls: Callable[..., None]) -> None:
        if path.name == "nobody":
            raise ConnectionRefusedError(111, "Connection refused")
        self.name, self.calls = name, calls
        self.pushed: list[Any] = []
        self.closed = False

    def push(self, frame: Any) -> None:
        self.pushed.append(frame)

    def interrupted(self, reason: str) -> None:
        del reason

    def status(self) -> dict[str, Any]:
        return {"name": self.name}

    def close(self) -> None:
        self.closed = True


class Rig:
    def __init__(self) -> None:
        self.camera = PlayedCamera()
        self.tee = Tee()
        self.viewers = Viewers("cam0", self.tee, lambda: cast("CameraRunner", self.camera))

    @property
    def feed(self) -> PlayedFeed:
        return cast("PlayedFeed", self.viewers._feed)

    def push(self, count: int, *, gop: int = 100) -> None:
        for frame in frames(count, gop=gop):
            self.tee.push(frame._replace(data=PICTURE))


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(module, "Feed", PlayedFeed)
    monkeypatch.setattr(module, "LINGER_S", 0.01)
    return Rig()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_feed_wakes_the_camera_which_runs_on_for_a_moment_after_it(rig: Rig) -> None:
    assert rig.viewers.status() is None
    await rig.viewers.begin_feed(Path("live"))
    assert (rig.camera.wanted, rig.viewers.status()) == (True, {"name": "cam0"})
    rig.push(3)
    feed = rig.feed
    assert len(feed.pushed) == 3
    await rig.viewers.end_feed()
    assert (feed.closed, rig.tee.hung) == (True, False)
    await until(lambda: not rig.camera.wanted)


async def test_a_camera_that_something_else_reads_runs_on(rig: Rig) -> None:
    await rig.viewers.begin_feed(Path("live"))
    other = PlayedFeed(Path("live"), "recorder")
    rig.tee.attach_outlet(other, with_gop=False)
    await rig.viewers.end_feed()
    await asyncio.sleep(0.05)
    assert rig.camera.wanted


async def test_a_running_camera_gives_a_new_feed_what_it_has_sent_since_its_keyframe(
    rig: Rig,
) -> None:
    rig.camera.want(wanted=True)
    rig.push(8, gop=5)
    await rig.viewers.begin_feed(Path("live"))
    assert len(rig.feed.pushed) == 3


async def test_a_live_process_that_is_not_there_is_said(rig: Rig) -> None:
    with pytest.raises(FeedUnreachable, match="Connection refused"):
        await rig.viewers.begin_feed(Path("nobody"))
    assert rig.viewers.status() is None
    assert not rig.camera.wanted


async def test_the_feeds_thread_asks_for_keyframes_and_tells_its_end(rig: Rig) -> None:
    await rig.viewers.begin_feed(Path("live"))
    feed = rig.feed
    await asyncio.to_thread(feed.calls["keyframe_wanted"])
    await until(lambda: rig.camera.keyframes == 1)
    await asyncio.to_thread(feed.calls["ended"], feed)
    await until(lambda: rig.viewers.status() is None)
    assert not rig.tee.hung


async def test_a_still_is_the_newest_keyframe(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "still.h264"
    asked = asyncio.create_task(rig.viewers.still(path, WITHIN_S))
    await until(lambda: rig.tee.hung)
    rig.push(1)
    await asked
    (frame,) = frames(1, gop=1)
    assert path.read_bytes() == annex_b(PICTURE, frame.codec)
    assert not rig.tee.hung


async def test_a_still_that_does_not_come_says_why(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(Unseen, match="no frame received within 0"):
        await rig.viewers.still(tmp_path / "still", 0.01)
    rig.camera.last_error = "the camera refuses the password"
    with pytest.raises(Unseen, match="refuses the password"):
        await rig.viewers.still(tmp_path / "still", 0.01)
    assert not (tmp_path / "still").exists()
