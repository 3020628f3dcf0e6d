from __future__ import annotations

import socket
import threading
import time

import pytest

from support.rtsp import camera_in_thread
from support.scriptedcamera import H264, Asked, ScriptedCamera, answer, description, scripted_camera
from touchline.worker.rtsp import describe

SDP = description(H264)


def plain(_camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
    if asked.method == "OPTIONS":
        return answer(asked, Public="OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER")
    return answer(asked, body=SDP)


def test_no_thread_is_left_behind() -> None:
    with scripted_camera(plain) as camera:
        before = threading.active_count()
        describe(camera.url)
        deadline = time.monotonic() + 5
        while threading.active_count() > before + 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() <= before + 1


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_the_size_is_read_from_the_parameter_sets(codec: str) -> None:
    with camera_in_thread(codec=codec, sdp_size="none") as camera:
        offer = describe(camera.url)
    assert (offer.codec, offer.width, offer.height) == (codec, 320, 180)
