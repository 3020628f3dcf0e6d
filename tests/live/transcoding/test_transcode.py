"""Cameras that reorder, as WebRTC viewers get them: one shared process, in the order of showing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import psutil  # type: ignore[import-untyped]
import pytest

from support.codedcamera import COUNTERS, GOP, PLAIN, Coding
from support.rollingcamera import RollingCamera
from support.viewer import Viewer, counter
from touchline.ipc.wire import UNJOINABLE
from touchline.live.frames.streams import Streams
from touchline.live.hls.hls import Hls
from touchline.live.hls.packager import PlaylistShape
from touchline.live.transcoding import process
from touchline.live.transcoding.pool import Transcodes
from touchline.live.transcoding.transcode import CameraTranscode
from touchline.live.webrtc.webrtc import Peers

pytestmark = pytest.mark.anyio

B_FRAMES = Coding(b_frames=2)
PYRAMID = Coding(b_frames=3, b_pyramid=True)
OPEN_GOP = Coding(b_frames=3, b_pyramid=True, open_gop=True)
DEADLINE_S = 60.0


class Show:
    """A camera that is shown to viewers over WebRTC."""

    def __init__(self, coding: Coding) -> None:
        self.streams = Streams()
        self.events: list[dict[str, Any]] = []
        self.transcodes = Transcodes(self.streams, self.events.append)
        self.peers = Peers(self.transcodes, self.events.append)
        self.camera = RollingCamera(self.streams.get("cam0"), coding)
        self.viewers: list[Viewer] = []

    @property
    def transcode(self) -> CameraTranscode:
        return self.transcodes.of("cam0")

    async def join(self) -> Viewer:
        viewer = Viewer()
        self.viewers.append(viewer)
        session = await self.peers.start("cam0", "a test")
        answer = await self.peers.offer(session, await viewer.offer())
        await viewer.accept(answer["sdp"])
        return viewer

    def told(self) -> list[str]:
        return [e["state"] for e in self.events if e["event"] == "transcode"]

    async def close(self) -> None:
        await asyncio.gather(*(viewer.close() for viewer in self.viewers))
        await self.peers.close()
        await self.transcodes.close()


@asynccontextmanager
async def showing(coding: Coding) -> AsyncIterator[Show]:
    show = Show(coding)
    rolling = asyncio.create_task(show.camera.roll())
    try:
        yield show
    finally:
        rolling.cancel()
        await show.close()


async def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"not within 20 s: {what}"
        await asyncio.sleep(0.01)


def steps(counters: list[int]) -> list[int]:
    return [(b - a) % COUNTERS for a, b in pairwise(counters)]


@pytest.mark.parametrize("coding", [B_FRAMES, PYRAMID, OPEN_GOP])
async def test_a_viewer_is_shown_the_pictures_of_a_camera_that_reorders_in_order(
    coding: Coding,
) -> None:
    async with showing(coding) as show:
        await until(lambda: show.streams.get("cam0").reorders, "out of order")
        viewer = await show.join()
        counters = await viewer.frames(2 * GOP)
        # A busy machine may leave a picture out; none comes twice or out of order.
        assert all(1 <= step <= GOP // 2 for step in steps(counters)), counters
        assert steps(counters).count(1) > GOP
        assert show.told() == ["starting", "running"]
        (status,) = show.transcodes.status().values()
        assert (status["state"], status["viewers"], status["width"]) == ("running", 1, 320)


async def test_a_camera_that_does_not_reorder_is_passed_on_as_it_is() -> None:
    async with showing(PLAIN) as show:
        viewer = await show.join()
        assert set(steps(await viewer.frames(GOP))) == {1}
        assert show.told() == []
        assert show.transcodes.status() == {}


async def test_all_viewers_share_one_process_which_ends_after_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with showing(PYRAMID) as show:
        monkeypatch.setattr(show.transcode, "_linger_s", 0.3)
        await until(lambda: show.streams.get("cam0").reorders, "out of order")
        first, second = await show.join(), await show.join()
        await asyncio.gather(first.frames(5), second.frames(5))
        pid = show.transcode.pid
        assert pid is not None
        process = psutil.Process(pid)
        assert process.nice() >= 10
        await first.close()
        await second.more(GOP)
        assert show.transcode.pid == pid
        await second.close()
        await until(lambda: not process.is_running(), "ended with the last viewer")
        await until(lambda: show.told()[-1] == "ended", "said")
        assert show.streams.get("cam0").subscribers == 0


async def test_a_viewer_goes_on_when_b_frames_begin_in_mid_stream() -> None:
    async with showing(PLAIN) as show:
        viewer = await show.join()
        await viewer.frames(GOP)
        show.camera.change(PYRAMID)
        await until(lambda: show.transcode.state == "running", "transcoded")
        await until(lambda: show.transcode.own.frames > GOP, "more of it")
        counters = await viewer.more(GOP)
        assert all(1 <= step <= GOP // 2 for step in steps(counters)), counters


async def test_a_transcode_that_dies_is_said_and_replaced_while_viewers_watch() -> None:
    async with showing(PYRAMID) as show:
        await until(lambda: show.streams.get("cam0").reorders, "out of order")
        viewer = await show.join()
        await viewer.frames(5)
        first = show.transcode.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: "failed" in show.told(), "said")
        (failed,) = [e for e in show.events if e.get("state") == "failed"]
        assert "signal 9" in failed["reason"]
        await until(lambda: show.transcode.state == "running", "replaced")
        assert show.transcode.pid not in {None, first}
        assert (await viewer.more(GOP))[-1] >= 0


async def test_a_transcoder_that_cannot_be_started_ends_only_itself() -> None:
    streams = Streams()
    events: list[dict[str, Any]] = []
    transcodes = Transcodes(streams, events.append, command=(sys.executable, "-c", "1/0"))
    camera = RollingCamera(streams.get("cam0"), PYRAMID)
    camera.push(GOP)
    shown = transcodes.of("cam0")
    shown.join()
    await until(lambda: shown.state == "failed", "failed")
    await asyncio.wait_for(shown.settled(), 1)
    assert shown.current is streams.get("cam0")
    assert "status 1" in transcodes.status()["cam0"]["error"]
    shown.leave()
    await transcodes.close()


SHAPE = PlaylistShape(part_s=0.25, segment_s=1.0, segments=6)


@asynccontextmanager
async def filming(
    coding: Coding, **options: Any
) -> AsyncIterator[tuple[RollingCamera, Transcodes]]:
    """A camera that nobody watches yet."""
    streams = Streams()
    transcodes = Transcodes(streams, lambda _: None, **options)
    camera = RollingCamera(streams.get("cam0"), coding)
    rolling = asyncio.create_task(camera.roll())
    try:
        yield camera, transcodes
    finally:
        rolling.cancel()
        await transcodes.close()


@asynccontextmanager
async def packaged(shown: CameraTranscode, folder: Path) -> AsyncIterator[Hls]:
    """A camera over HLS."""
    hls = Hls(shown, folder, SHAPE)
    try:
        yield hls
    finally:
        await hls.close()


async def segments_of(hls: Hls, folder: Path, count: int) -> list[Path]:
    """The first segments, as files that begin with what a player needs."""
    deadline = time.monotonic() + DEADLINE_S
    names: list[tuple[str, str]] = []
    while len(names) < count:
        assert time.monotonic() < deadline, names
        init, names = "", []
        for line in (await hls.playlist(None, None) or "").splitlines():
            if line.startswith("#EXT-X-MAP"):
                init = line.split('"')[1]
            elif line.endswith(".m4s"):
                names.append((init, line))
        await asyncio.sleep(0.05)
    films = []
    for init, name in names[:count]:
        films.append(folder / f"{name}.mp4")
        films[-1].write_bytes((folder / init).read_bytes() + (folder / name).read_bytes())
    return films


def shown_by(film: Path) -> tuple[list[int | None], int]:
    """The counters of what is decoded, and how many packets there are."""
    with av.open(str(film)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
        seen = [counter(frame) for packet in packets for frame in packet.decode()]
        seen += [counter(frame) for frame in file.streams.video[0].decode(None)]
    return seen, len(packets)


def begins_with_keyframe(film: Path) -> bool:
    with av.open(str(film)) as file:
        return next(file.demux(video=0)).is_keyframe


async def can_be_begun_at(film: Path) -> None:
    seen, packets = await asyncio.to_thread(shown_by, film)
    assert packets
    assert len(seen) == packets
    assert None not in seen


async def test_hls_shows_the_transcode_of_a_camera_at_whose_keyframes_no_player_can_begin(
    tmp_path: Path,
) -> None:
    async with filming(OPEN_GOP) as (camera, transcodes):
        await until(lambda: not camera.stream.joinable, "found out")
        shown = transcodes.of("cam0")
        async with packaged(shown, tmp_path) as hls:
            films = await segments_of(hls, tmp_path, 3)
            told = shown.status()
            assert (told["state"], told["over_hls"], told["viewers"]) == ("running", True, 0)
            assert told["reason"] == UNJOINABLE
            text = await hls.playlist(None, None) or ""
            assert "#EXT-X-DISCONTINUITY\n" not in text
            assert text.count("#EXT-X-MAP") == 1
            for film in films:
                await can_be_begun_at(film)
        for film in films:
            film.unlink()
        assert list(tmp_path.iterdir()) == []
        assert not shown.over_hls


async def test_what_hls_lists_can_be_begun_at_while_a_camera_is_being_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A transcoder that a busy machine delays has not failed; a failed one shows original frames.
    monkeypatch.setattr(process, "SILENT_S", DEADLINE_S)
    # A keyframe that comes late there ends a segment before it; the playlist then promises nothing.
    async with (
        filming(OPEN_GOP) as (_, transcodes),
        packaged(transcodes.of("cam0"), tmp_path) as hls,
    ):
        films = await segments_of(hls, tmp_path, 4)
        promised = "#EXT-X-INDEPENDENT-SEGMENTS" in (await hls.playlist(None, None) or "")
        if not promised:
            films = [film for film in films if begins_with_keyframe(film)]
            assert len(films) >= 2
        for film in films:
            await can_be_begun_at(film)
        assert transcodes.of("cam0").state == "running"


async def test_other_cameras_go_over_hls_as_they_come_until_they_are_set_up_anew(
    tmp_path: Path,
) -> None:
    async with (
        filming(PYRAMID) as (camera, transcodes),
        packaged(transcodes.of("cam0"), tmp_path) as hls,
    ):
        (film,) = await segments_of(hls, tmp_path, 1)
        await can_be_begun_at(film)
        assert transcodes.status() == {}
        camera.change(OPEN_GOP)
        await until(lambda: transcodes.of("cam0").state == "running", "transcoded")
        before = (await hls.playlist(None, None) or "").count("#EXTINF")
        films = await segments_of(hls, tmp_path, before + 1)
        await can_be_begun_at(films[-1])


async def test_hls_goes_on_with_the_cameras_own_where_it_cannot_be_transcoded(
    tmp_path: Path,
) -> None:
    broken = (sys.executable, "-c", "1/0")
    async with (
        filming(OPEN_GOP, command=broken) as (_, transcodes),
        packaged(transcodes.of("cam0"), tmp_path) as hls,
    ):
        await until(lambda: transcodes.of("cam0").failures > 0, "failed")
        before = (await hls.playlist(None, None) or "").count("#EXTINF")
        await segments_of(hls, tmp_path, before + 2)
