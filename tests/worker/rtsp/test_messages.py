from __future__ import annotations

import pytest

from touchline.worker.rtsp.errors import RtspError
from touchline.worker.rtsp.messages import (
    MAX_HEAD_BYTES,
    MAX_STRAY_BYTES,
    CameraRequest,
    Message,
    Reader,
    Response,
    encode_request,
    printable,
)

RTP = b"\x80\x60\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01" + bytes(range(64))
OK = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nbody"


def framed(data: bytes, channel: int = 0) -> bytes:
    return b"$" + bytes([channel]) + len(data).to_bytes(2, "big") + data


class Take:
    def __init__(self) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.messages: list[Message] = []
        self.reader = Reader(lambda channel, data: self.packets.append((channel, data)))

    def feed(self, data: bytes, pieces: int | None = None) -> Take:
        step = pieces or len(data)
        for at in range(0, len(data), step):
            self.messages += self.reader.feed(data[at : at + step])
        return self


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 50, None])
def test_messages_and_packets_are_read_from_any_pieces(pieces: int | None) -> None:
    take = Take().feed(framed(RTP) + OK + framed(RTP, 1) + framed(b"") + OK, pieces)
    assert take.packets == [(0, RTP), (1, RTP), (0, b"")]
    assert [m.body for m in take.messages if isinstance(m, Response)] == [b"body", b"body"]
    assert take.reader.stray_bytes == 0


@pytest.mark.parametrize(
    "head",
    [
        b"RTSP/1.0 200 OK\nCSeq: 3\nContent-Length: 4\n\nbody",
        b"RTSP/1.0 200 OK\r\ncseq:3\r\ncontent-length:  4 \r\n\r\nbody",
        b"RTSP/1.0 200\r\nCSEQ: 3\r\nCONTENT-LENGTH: 4\r\n\r\nbody",
        b"rtsp/1.0 200 ok\r\nCSeq: 3\r\nnonsense\r\nContent-Length: 4\r\n\r\nbody",
        b"\r\n\r\nRTSP/2.0  200  OK\r\nCSeq: 3\r\nContent-Length:\r\n 4\r\n\r\nbody",
    ],
)
@pytest.mark.parametrize("pieces", [1, None])
def test_cameras_write_answers_in_many_ways(head: bytes, pieces: int | None) -> None:
    (message,) = Take().feed(head, pieces).messages
    assert isinstance(message, Response)
    assert message.ok
    assert message.headers.number("cseq") == 3
    assert message.body == b"body"


def test_a_request_of_the_camera_is_read() -> None:
    (message,) = Take().feed(b"OPTIONS rtsp://client/ RTSP/1.0\r\nCSeq: 7\r\n\r\n", 1).messages
    assert message == CameraRequest("OPTIONS", "rtsp://client/", message.headers)
    assert message.headers.get("cseq") == "7"


@pytest.mark.parametrize(
    "stray", [b"\0", b"xyz", b"$", b"$$$", b"RT", b"GET", b"\xff" * 3000, b"\r"]
)
@pytest.mark.parametrize("pieces", [1, 1000, None])
def test_stray_bytes_between_packets_cost_no_packet(stray: bytes, pieces: int | None) -> None:
    take = Take()
    take.reader.grant((0, 1))
    take.feed(framed(RTP) + stray + framed(RTP) + framed(RTP) + stray + OK + framed(RTP), pieces)
    assert take.packets == [(0, RTP)] * 4
    assert len(take.messages) == 1


def test_the_letters_of_an_answer_inside_a_packet_are_data() -> None:
    packet = RTP + OK + framed(RTP)
    take = Take().feed(framed(packet))
    assert (take.packets, take.messages) == ([(0, packet)], [])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"RTSP/1.0 200 OK\r\nX: " + b"y" * MAX_HEAD_BYTES, "a header of more than"),
        (b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "more than 128 headers"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n", "an invalid content length"),
        ("RTSP/1.0 200 OK\r\nContent-Length: ²\r\n\r\n".encode(), "an invalid content length"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -4\r\n\r\n", "an invalid content length"),
        (b"RTSP/1.0 fine\r\n\r\n", "is not RTSP"),
        (b"\xff" * (MAX_STRAY_BYTES + 2), "something that is not RTSP"),
    ],
)
@pytest.mark.parametrize("pieces", [4000, None])
def test_what_goes_past_a_bound_is_refused(data: bytes, complaint: str, pieces: int | None) -> None:
    with pytest.raises(RtspError, match=complaint):
        Take().feed(data, pieces)


def test_a_header_cannot_become_two() -> None:
    with pytest.raises(ValueError, match="line break"):
        encode_request("DESCRIBE", "rtsp://h/\r\nX: y", 1, [])


def test_text_from_outside_is_shown_as_one_bounded_line() -> None:
    assert printable("a\r\nb\x1b[31m" + "c" * 500) == "a??b?[31m" + "c" * 111
