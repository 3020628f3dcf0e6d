from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import pytest

from support.codedcamera import GOP, Coding
from support.rollingcamera import RollingCamera
from touchline.live.frames.streams import Streams
from touchline.live.transcoding.pool import Transcodes
from touchline.live.transcoding.transcode import BASELINE

pytestmark = pytest.mark.anyio


def pool() -> tuple[Transcodes, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    return Transcodes(Streams(), events.append, command=("/no/such/transcoder",)), events


async def test_each_camera_has_one_transcode_from_its_first_use_on() -> None:
    transcodes, _ = pool()
    assert transcodes.of("cam0") is transcodes.of("cam0")
    assert transcodes.of("cam0") is not transcodes.of("cam1")
    assert transcodes.of("cam0").source.name == "cam0"


async def test_only_those_in_use_are_in_the_status() -> None:
    transcodes, _ = pool()
    for name in ("cam1", "cam0"):
        transcodes.of(name)
    assert transcodes.status() == {}
    transcodes.of("cam1").state = "running"
    assert list(transcodes.status()) == ["cam1"]


async def test_a_change_is_told_with_its_reason() -> None:
    transcodes, events = pool()
    transcode = transcodes.of("cam0")
    transcode.state, transcode.error = "failed", "its process could not be started"
    transcodes._report(transcode)
    (event,) = events
    assert (event["event"], event["camera"], event["state"]) == ("transcode", "cam0", "failed")
    assert event["reason"] == "its process could not be started"


async def test_no_more_cameras_are_transcoded_than_there_is_room_for() -> None:
    streams: Streams = Streams()
    quiet = (sys.executable, "-c", "import time; time.sleep(60)")
    transcodes = Transcodes(streams, lambda _: None, command=quiet)
    for number in range(5):
        RollingCamera(streams.get(f"cam{number}"), Coding(b_frames=2)).push(GOP)
        transcodes.of(f"cam{number}").join()
    deadline_s = time.monotonic() + 60.0
    while transcodes.status().get("cam4", {}).get("state") != "failed":
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.02)
    assert "4 cameras are already being transcoded" in transcodes.status()["cam4"]["error"]
    assert transcodes.of("cam0").profile == BASELINE
    await transcodes.close()
