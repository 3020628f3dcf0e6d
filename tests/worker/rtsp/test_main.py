from __future__ import annotations

import io
import json
import socket

import pytest

from support.scriptedcamera import H264, Asked, ScriptedCamera, answer, description, scripted_camera
from touchline.worker.rtsp.__main__ import main

SDP = description(H264)


DIGEST = 'Digest realm="cam", nonce="{}", algorithm=SHA-256'


def locked(_camera: ScriptedCamera, _connection: socket.socket, asked: Asked) -> bytes:
    if asked.method == "OPTIONS":
        return answer(asked)
    if 'username="right"' not in asked.headers.get("authorization", ""):
        return answer(asked, "401 Unauthorized", WWW_Authenticate=DIGEST.format("n"))
    return answer(asked, body=SDP)


def run(text: str) -> tuple[int, dict[str, object]]:
    output = io.StringIO()
    status = main(io.StringIO(text), output)
    return status, json.loads(output.getvalue())


def test_the_program_reads_credentials_from_its_input_and_prints_the_offer() -> None:
    with scripted_camera(locked) as camera:
        asked = {"url": camera.url, "user": "right", "password": "secret"}
        status, said = run(json.dumps(asked))
        assert (status, said["ok"], said["codec"]) == (0, True, "h264")
        status, said = run(json.dumps({**asked, "user": "wrong"}))
    assert (status, said["ok"], said["refusal"]) == (1, False, "credentials")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"url": 5}', '{"url": "rtsp://h/", "track": []}', "[" * 60_000]
)
def test_the_program_refuses_input_that_is_none(text: str) -> None:
    status, said = run(text)
    assert (status, said["ok"]) == (2, False)
