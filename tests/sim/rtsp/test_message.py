from __future__ import annotations

import pytest

from touchline.sim.rtsp.message import (
    LARGEST,
    CameraResponse,
    Inbox,
    Malformed,
    PlayerRequest,
    render,
)
from touchline.sim.rtsp.misbehaviour import Misbehaviour

DATA = (
    b"OPTIONS rtsp://c/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    b"$\0\0\3abc"
    b"SET_PARAMETER rtsp://c/ RTSP/1.0\r\nContent-Length: 4\r\n\r\nbody"
    b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"
)
FOUND = [
    PlayerRequest("OPTIONS", "rtsp://c/", {"cseq": "1"}),
    b"$\0\0\3abc",
    PlayerRequest("SET_PARAMETER", "rtsp://c/", {"content-length": "4"}, b"body"),
    PlayerRequest("", "", {"cseq": "9"}),
]


def test_requests_and_packets_are_found_however_the_data_is_cut() -> None:
    assert list(Inbox().feed(DATA)) == FOUND
    inbox = Inbox()
    assert [each for byte in DATA for each in inbox.feed(bytes([byte]))] == FOUND


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: x\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"x" * (LARGEST + 1),
    ],
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(Inbox().feed(data))


def test_a_response_is_encoded_in_the_cameras_style() -> None:
    answer = CameraResponse(454, [("Public", "OPTIONS")], b"ab")
    usual = (
        b"RTSP/1.0 454 Session Not Found\r\nCSeq: 3\r\nPublic: OPTIONS\r\n"
        b"Content-Length: 2\r\n\r\nab"
    )
    assert render(answer, "3", Misbehaviour()) == usual
    odd = Misbehaviour(no_reason=True, header_case="lower", line_end="lf", cseq="wrong")
    assert render(answer, "3", odd) == (
        b"RTSP/1.0 454\ncseq: 10\npublic: OPTIONS\ncontent-length: 2\n\nab"
    )
    assert b"CSeq" not in render(answer, "3", Misbehaviour(cseq="missing"))
