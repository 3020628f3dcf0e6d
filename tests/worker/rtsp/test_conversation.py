from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from touchline.worker.rtsp.authentication import Credentials, RequestSigner
from touchline.worker.rtsp.conversation import Conversation, failure
from touchline.worker.rtsp.errors import CameraRefusal, NoAnswer, RtspError
from touchline.worker.rtsp.link import Link, Waker
from touchline.worker.rtsp.messages import Response

URI = "rtsp://camera/stream"


class Camera:
    """The other end of a connection; each answer follows one request."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.heard: list[str] = []

    def answers(self, *answers: str) -> threading.Thread:
        def work() -> None:
            for answer in answers:
                self.hear()
                self.connection.sendall(answer.replace("\n", "\r\n").encode())

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def hear(self) -> str:
        found = b""
        while b"\r\n\r\n" not in found:
            piece = self.connection.recv(4096)
            assert piece
            found += piece
        self.heard.append(found.decode())
        return self.heard[-1]


@contextmanager
def talking(
    credentials: Credentials | None = None,
) -> Iterator[tuple[Conversation, Camera, list[tuple[int, bytes]]]]:
    packets: list[tuple[int, bytes]] = []
    waker = Waker()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    theirs.settimeout(30.0)
    signer = RequestSigner(credentials)
    link = Link(ours, waker)
    with theirs:
        try:
            conversation = Conversation(link, signer, lambda at, data: packets.append((at, data)))
            yield conversation, Camera(theirs), packets
        finally:
            link.close()
            waker.close()


def test_requests_are_numbered_and_carry_the_session() -> None:
    with talking() as (conversation, camera, _):
        thread = camera.answers("RTSP/1.0 200 OK\nCSeq: 1\n\n", "RTSP/1.0 200 OK\nCSeq: 2\n\n")
        assert conversation.ask("OPTIONS", URI).ok
        conversation.session = "12345"
        assert conversation.ask("PLAY", URI, [("Range", "npt=0-")]).ok
        thread.join()
    assert "CSeq: 1\r\n" in camera.heard[0]
    assert "Session:" not in camera.heard[0]
    assert camera.heard[1].startswith(f"PLAY {URI} RTSP/1.0\r\n")
    assert "Session: 12345\r\n" in camera.heard[1]
    assert "Range: npt=0-\r\n" in camera.heard[1]


def test_a_challenge_is_answered_with_the_same_request_signed() -> None:
    challenge = 'RTSP/1.0 401 Unauthorized\nCSeq: 1\nWWW-Authenticate: Basic realm="x"\n\n'
    with talking(Credentials("coach", "secret")) as (conversation, camera, _):
        thread = camera.answers(challenge, "RTSP/1.0 200 OK\nCSeq: 2\n\n")
        assert conversation.ask("DESCRIBE", URI).ok
        thread.join()
    assert "Authorization" not in camera.heard[0]
    assert "Authorization: Basic " in camera.heard[1]


def test_a_camera_that_wants_a_password_that_there_is_not_refuses() -> None:
    challenge = 'RTSP/1.0 401 Unauthorized\nCSeq: 1\nWWW-Authenticate: Basic realm="x"\n\n'
    with talking() as (conversation, camera, _):
        thread = camera.answers(challenge)
        with pytest.raises(RtspError, match="requires a user name") as caught:
            conversation.ask("DESCRIBE", URI)
        thread.join()
    assert caught.value.refusal is CameraRefusal.CREDENTIALS


def test_answers_are_told_apart_by_their_numbers_or_come_in_order() -> None:
    with talking() as (conversation, camera, _):
        first, second = (conversation.post("GET_PARAMETER", URI) for _ in range(2))
        camera.hear()
        camera.connection.sendall(b"RTSP/1.0 202 Second\r\nCSeq: 2\r\n\r\n")
        camera.connection.sendall(b"RTSP/1.0 201 First\r\n\r\n")
        while first.answer is None or second.answer is None:
            conversation.take(conversation.link.wait(30.0))
    assert (first.answer.status, second.answer.status) == (201, 202)


def test_no_answer_in_time_is_an_error_and_a_late_one_belongs_to_nobody() -> None:
    with talking() as (conversation, camera, _):
        with pytest.raises(NoAnswer, match=r"OPTIONS within 0\.05 s"):
            conversation.ask("OPTIONS", URI, timeout_s=0.05)
        camera.hear()
        camera.connection.sendall(b"RTSP/1.0 500 Late\r\nCSeq: 1\r\n\r\n")
        thread = camera.answers("RTSP/1.0 200 OK\nCSeq: 2\n\n")
        assert conversation.ask("OPTIONS", URI).ok
        thread.join()


def test_packets_between_answers_are_passed_on_and_others_sent() -> None:
    packet = b"\x80\x60" + bytes(10)
    with talking() as (conversation, camera, packets):
        camera.connection.sendall(b"$\x02\x00\x0c" + packet)
        while not packets:
            conversation.take(conversation.link.wait(30.0))
        assert packets == [(2, packet)]
        conversation.send_packet(3, b"rtcp")
        assert camera.connection.recv(100) == b"$\x03\x00\x04rtcp"


def test_requests_of_the_camera_are_answered_and_an_end_is_noted() -> None:
    with talking() as (conversation, camera, _):
        camera.connection.sendall(f"RECORD {URI} RTSP/1.0\r\nCSeq: 8\r\n\r\n".encode())
        camera.connection.sendall(f"TEARDOWN {URI} RTSP/1.0\r\nCSeq: 9\r\n\r\n".encode())
        while conversation.ended is None:
            conversation.take(conversation.link.wait(30.0))
        heard = camera.hear()
        while "CSeq: 9" not in heard:
            heard += camera.hear()
    assert "501" in heard.split("\r\n")[0]
    assert "200 OK" in heard
    assert conversation.ended == "the camera ended the session (TEARDOWN)"


@pytest.mark.parametrize(
    ("status", "refusal", "words"),
    [
        (403, CameraRefusal.CREDENTIALS, "check the user's rights"),
        (404, None, "check the URL"),
        (453, CameraRefusal.BUSY, "end other viewers"),
        (503, CameraRefusal.BUSY, "no more viewers"),
        (461, None, "refuses SETUP: 461 As It Says"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, refusal: CameraRefusal | None, words: str) -> None:
    error = failure("SETUP", Response(status, "As It Says"))
    assert words in str(error)
    assert error.refusal is refusal
