"""Network cameras under the worker's camera: refusals, passwords and idle time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from support.cameraruns import SPEC, eventually, running
from support.rtsp import camera_in_thread
from touchline.ipc.wire import PipelineSpec, Rtsp

pytestmark = pytest.mark.anyio


def network_camera(url: str, password: str = "right") -> PipelineSpec:
    return replace(
        SPEC,
        kind="rtsp",
        picture=None,
        keep_running=True,
        rtsp=Rtsp(url, "user", password),
        start_timeout_s=10,
    )


async def test_a_wrong_password_is_offered_once_and_again_only_for_a_recording() -> None:
    with camera_in_thread(user="user", password="right", lock_after=5) as server:

        def offered() -> int:
            return sum(e["outcome"] == "wrong" for e in server.ledger.entries("sign_in"))

        async with running(network_camera(server.url, "wrong")) as camera:
            await eventually(lambda: camera.refusals == 1, "the refusal")
            assert offered() == 1
            status = camera.status()
            assert status["state"] == "retrying"
            assert "correct user and password" in status["last_error"]
            assert "the next attempt is in 30 s" in status["last_error"]
            assert 20 < status["retry_in_s"] <= 30
            camera.want(wanted=True)  # somebody looks at the camera's page
            camera.want(wanted=False)
            await asyncio.sleep(1)
            assert offered() == 1
            camera.want(wanted=True, at_once=True)  # somebody starts a recording
            await eventually(lambda: camera.refusals == 2, "the second refusal")
            await asyncio.sleep(0.5)
            assert offered() == 2


async def test_a_camera_that_lets_us_in_again_is_forgiven() -> None:
    with camera_in_thread(refuse="DESCRIBE=453", refuse_times=2) as server:
        async with running(network_camera(server.url)) as camera:
            await eventually(lambda: camera.refusals == 1, "the refusal")
            camera.want(wanted=True, at_once=True)
            await eventually(lambda: camera.playing, "pictures")
            assert camera.status()["retry_in_s"] is None


async def test_idle_time_of_a_network_camera_loses_no_frames() -> None:
    with camera_in_thread(fps=30) as server:
        spec = replace(network_camera(server.url), keep_running=False)
        async with running(spec) as camera:
            for _ in range(2):
                camera.want(wanted=True)
                await eventually(lambda: camera.playing and camera.frames % 64 > 20, "pictures")
                camera.want(wanted=False)
                await eventually(lambda: camera.state == "stopped", "the stop")
                await asyncio.sleep(0.5)
            assert camera.status()["dropped"] == {"source": 0, "queue": 0}
