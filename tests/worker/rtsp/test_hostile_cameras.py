"""A camera may answer anything: whoever asks it ends in time, and nobody else gets its password."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from support.hostile import Send, Watch, hostile, saying
from touchline.worker.rtsp import RtspError, describe

WITHIN_S = 1.0
MOST_SENT_BYTES = 32 << 20


def rtsp(body: bytes, *, head: bytes = b"", status: bytes = b"200 OK") -> Send:
    """One answer, whole."""

    def send(talk: object) -> None:
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        talk.send(  # type: ignore[attr-defined]
            b"RTSP/1.0 %s\r\nCSeq: 1\r\n%s%s\r\n%s" % (status, head, length, body)
        )

    return send


def endless(beginning: bytes, data: bytes, *, every_s: float = 0.0) -> Send:
    """A beginning, and then the same for ever."""

    def send(talk: object) -> None:
        talk.send(beginning)  # type: ignore[attr-defined]
        talk.for_ever(data, every_s=every_s)  # type: ignore[attr-defined]

    return send


OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\n"
ANSWERS: Mapping[str, Send] = {
    "silent": lambda talk: talk.nothing(),
    "slow": endless(OK + b"X: ", b"x", every_s=0.01),
    "slow body": endless(OK + b"Content-Length: 100000\r\n\r\n", b"x", every_s=0.01),
    "head without an end": endless(OK, b"X-More: y\r\n" * 100),
    "field without an end": endless(OK + b"X: ", b"x" * 1000),
    "preliminary answers": endless(b"", b"RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n" * 100),
    "answers to nothing": endless(b"", b"RTSP/1.0 404 No\r\nCSeq: 999\r\n\r\n", every_s=0.01),
    "requests without an end": endless(b"", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 10),
    "packets without an end": endless(b"", b"$\0\0\x10\x80" + bytes(15)),
    "a terabyte": endless(OK + b"Content-Length: 1000000000000\r\n\r\n", b"x" * 65536),
    "a length of letters": endless(OK + b"Content-Length: \xc2\xb2\r\n\r\n", b"x" * 65536),
    "stray bytes": endless(b"", b"\xff" * 65536),
    "no description": rtsp(b"<html>"),
    "a description of one line": rtsp(b"v=0\r\n" + b"a=" + b"x" * 200_000),
    "a thousand tracks": rtsp(b"v=0\r\n" + b"m=video 0 RTP/AVP 96\r\n" * 1000),
    "formats of absurd numbers": rtsp(
        SDP + b"a=rtpmap:96 H264/999999999999999999\r\na=framesize:96 1e999-NaN\r\n"
    ),
    "challenges without an end": rtsp(
        b"", head=b'WWW-Authenticate: Digest realm="a"\r\n' * 5000, status=b"401 No"
    ),
    "HTTP": saying(b"{}"),
    "nothing": lambda _: None,
}
LEADS_NOWHERE = (
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "rtmp://127.0.0.1:{port}/",
    "rtspt://127.0.0.1:{port}/",
    "rtspu://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "//127.0.0.1:{port}/cam",
    "unix:/run/docker.sock",
    "rtsp://",
    "rtsp:///cam",
    "rtsp://[::1",
    "rtsp://127.0.0.1:99999/",
    "rtsp://127.0.0.1:{port}/" + "x" * 5000,
    "javascript:alert(1)",
    "",
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_of_a_camera_holds_up_or_fills_who_asked(answer: str) -> None:
    before = threading.active_count()
    with hostile(ANSWERS[answer]) as server, Watch() as watch, pytest.raises(RtspError) as told:
        describe(f"rtsp://127.0.0.1:{server.port}/cam", "admin", "secret", timeout_s=WITHIN_S)
    assert watch.took_s < 15
    assert watch.cpu_s < 3
    assert server.sent_bytes < MOST_SENT_BYTES
    assert 10 < len(str(told.value)) < 400
    assert str(told.value).isprintable()
    assert "secret" not in str(told.value)
    assert threading.active_count() <= before


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See", b"305 P", b"307 T"])
@pytest.mark.parametrize("where", LEADS_NOWHERE)
def test_a_camera_leads_to_other_cameras_only(where: str, status: bytes) -> None:
    with hostile(rtsp(b"")) as elsewhere:
        location = f"Location: {where.format(port=elsewhere.port)}\r\n".encode()
        leading = rtsp(b"", head=location, status=status)
        with hostile(leading) as camera, pytest.raises(RtspError):
            describe(f"rtsp://127.0.0.1:{camera.port}/cam", "admin", "secret", timeout_s=WITHIN_S)
        assert elsewhere.asked == 0
