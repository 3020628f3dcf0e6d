from __future__ import annotations

import base64

import pytest

from support.codedbytes import CODEC
from touchline.live.rtsp.messages import (
    BadRequest,
    RtspResponse,
    Transport,
    describe,
    parse_request,
    parse_transport,
)


def test_a_request_is_read() -> None:
    head = b"DESCRIBE rtsp://host:8554/cam1/trackID=0?x RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 7"
    request = parse_request(head)
    assert (request.method, request.camera, request.body_bytes) == ("DESCRIBE", "cam1", 7)
    assert RtspResponse(200, {"Session": "a"}, "body").encode(request) == (
        b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: a\r\nContent-Length: 4\r\n\r\nbody"
    )


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1", b"a b", b"\xff\xff\xff", b"X y RTSP/2.0"])
def test_what_is_not_rtsp_is_refused(head: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_request(head)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", Transport(True, 0, 1)),
        ("RTP/AVP/TCP;unicast;interleaved=4-5", Transport(True, 4, 5)),
        ("RTP/AVP/TCP;unicast", Transport(True, 0, 1)),
        ("RTP/AVP;unicast;client_port=5000-5001", Transport(False, 5000, 5001)),
        ("RTP/AVP/UDP;unicast;client_port=5000", Transport(False, 5000, 5001)),
        ("RTP/AVP;multicast, RTP/AVP/TCP;interleaved=0-1", Transport(True, 0, 1)),
        ("RTP/AVP;unicast", None),
        ("RTP/AVP;unicast;client_port=0-1", None),
        ("RTP/AVP;unicast;client_port=70000-70001", None),
        ("RTP/AVP/TCP;interleaved=256-257", None),
        ("RTP/SAVP;unicast;client_port=5000-5001", None),
        ("", None),
    ],
)
def test_the_first_transport_that_we_have_is_taken(text: str, expected: Transport | None) -> None:
    assert parse_transport(text) == expected


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        (None, False),
        ("Basic " + base64.b64encode(b"any:pass:word").decode(), True),
        ("basic " + base64.b64encode(b":pass:word").decode(), True),
        ("Basic " + base64.b64encode(b"any:password").decode(), False),
        ("Basic " + base64.b64encode(b"pass:word").decode(), False),
        ("Basic !!!", False),
        ("Bearer pass:word", False),
    ],
)
def test_the_password_is_asked_for(header: str | None, *, admitted: bool) -> None:
    lines = b"OPTIONS * RTSP/1.0" + (f"\r\nAuthorization: {header}".encode() if header else b"")
    request = parse_request(lines)
    assert request.accepts_password("pass:word") is admitted
    assert request.accepts_password(None)


def test_a_stream_is_described_with_its_parameter_sets() -> None:
    text = describe("cam0", CODEC)
    assert "a=rtpmap:96 H264/90000\r\n" in text
    assert "profile-level-id=42c01f" in text
    assert "sprop-parameter-sets=Z0LAH4w=,aM48gA==" in text
    assert text.endswith("\r\n")


@pytest.mark.parametrize("length", ["²", "٣", "9" * 5000, "-1", "70000", ""])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    head = f"OPTIONS rtsp://host/cam0 RTSP/1.0\r\nContent-Length: {length}".encode()
    with pytest.raises(BadRequest):
        assert parse_request(head).body_bytes


@pytest.mark.parametrize("number", ["²", "9" * 5000])
def test_a_number_that_is_none_is_not_repeated(number: str) -> None:
    request = parse_request(f"OPTIONS * RTSP/1.0\r\nCSeq: {number}".encode())
    assert b"CSeq" not in RtspResponse().encode(request)


@pytest.mark.parametrize("ports", ["²", "9" * 5000, "65535", "5000-²", "5000-99999", "0-1"])
def test_ports_that_are_none_are_no_transport(ports: str) -> None:
    assert parse_transport(f"RTP/AVP;unicast;client_port={ports}") is None


@pytest.mark.parametrize("line", ["OPTIONS rtsp://[ RTSP/1.0", "DESCRIBE rtsp://[::1 RTSP/1.0"])
def test_an_address_that_is_none_is_refused(line: str) -> None:
    request = parse_request(line.encode())
    with pytest.raises(BadRequest):
        assert request.camera


def test_what_cannot_be_printed_is_no_request() -> None:
    with pytest.raises(BadRequest):
        parse_request(b"OPTIONS rtsp://host/\x1b[2Jcam0 RTSP/1.0")
