"""Sessions and connections of the simulated camera and their misbehaviours."""

from __future__ import annotations

import re
import socket
import threading
import time
from itertools import pairwise

import pytest

from support.rawclient import WORD, client_of, connected, playing, wait_until
from support.rtsp import camera_in_thread


def test_everything_is_held_back_and_then_comes_at_once() -> None:
    options = {"hold_after": 0.3, "hold_for": 1.0}
    with client_of(**options) as client:
        frames = playing(client, 45)
    pauses = [(b[0].at_s - a[0].at_s, n) for n, (a, b) in enumerate(pairwise(frames))]
    longest_s, at = max(pauses)
    assert longest_s >= 0.8
    assert frames[at + 22][0].at_s - frames[at + 1][0].at_s < 0.5
    assert {(b[0].stamp - a[0].stamp) & WORD for a, b in pairwise(frames)} <= {2999, 3000, 3001}


def test_it_is_held_back_again_and_again() -> None:
    with client_of(hold_after=0.1, hold_for=0.3, hold_every=0.1) as client:
        frames = playing(client, 40)
    assert sum(b[0].at_s - a[0].at_s > 0.15 for a, b in pairwise(frames)) >= 2


def test_a_silent_start() -> None:
    with client_of(silent_for=0.5) as client:
        asked_s = time.monotonic()
        client.play()
        answered_s = time.monotonic()
        first = client.get(1)[0]
    assert answered_s - asked_s < first.at_s - asked_s
    assert first.at_s - asked_s >= 0.5


@pytest.mark.parametrize("how", ["end", "reset"])
def test_the_connection_is_closed(how: str) -> None:
    expected = EOFError if how == "end" else ConnectionResetError
    with client_of(close_after=0.2, close_how=how) as client, pytest.raises(expected):  # noqa: PT012
        client.play()
        client.get(100_000)


def test_one_client_is_enough() -> None:
    with camera_in_thread(max_clients=1) as camera, connected(camera) as first:
        playing(first, 2)
        with connected(camera) as second:
            answer, _ = second.ask("SETUP", Transport="RTP/AVP/TCP;interleaved=0-1")
    assert " 453 " in answer


def test_a_session_lasts_as_long_as_the_right_request_comes() -> None:
    options = {"session_timeout": 2, "alive_by": "get_parameter"}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        until_s = time.monotonic() + 2.5
        while time.monotonic() < until_s:
            client.ask("GET_PARAMETER")
            time.sleep(0.1)
        assert camera.ledger.entries("session_timed_out") == []
        with pytest.raises((EOFError, OSError)):  # noqa: PT012  (as often as it goes)
            while True:
                client.ask("OPTIONS")
                time.sleep(0.05)
        assert len(camera.ledger.entries("session_timed_out")) == 1


def test_it_asks_its_client() -> None:
    with client_of(ask_client_every=0.1) as client:
        client.play()
        while len(client.asked) < 3:
            client._message()
    assert set(client.asked) == {"OPTIONS", "GET_PARAMETER", "SET_PARAMETER"}


def test_stray_bytes_stand_between_packets() -> None:
    with client_of(stray_bytes=5) as client:
        client.play()
        while b"$" not in client._need(2000)[5:]:
            client._more()
        assert client.data[:5] == b"\r\n\0\0 "
        assert client.data[5:6] == b"$"


def test_packets_on_a_foreign_channel() -> None:
    with client_of(stray_channel=True) as client:
        playing(client, 3)
    assert any(p.channel == 99 for p in client.packets)


def test_other_channels_than_asked() -> None:
    with client_of(channels="other") as client:
        client.play()
        assert {p.channel for p in client.get(5)} == {10}


def test_media_before_the_answer() -> None:
    with client_of(media_before_answer=True) as client:
        client.play()
        assert len(client.rtp()) > 0


@pytest.mark.parametrize(
    ("transports", "asked", "status"),
    [
        ("tcp", "RTP/AVP;unicast;client_port=5000-5001", 461),
        ("udp", "RTP/AVP/TCP;interleaved=0-1", 461),
        ("both", "RTP/AVP;multicast", 461),
        ("both", "RTP/AVP;unicast;client_port=5000-5001", 200),
    ],
)
def test_transports(transports: str, asked: str, status: int) -> None:
    with client_of(transports=transports) as client:
        assert f" {status} " in client.ask("SETUP", Transport=asked)[0]


def test_media_over_udp() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        client_of() as client,
    ):
        port.bind(("127.0.0.1", 0))
        port.settimeout(10)
        number = port.getsockname()[1]
        client.play(transport=f"RTP/AVP;unicast;client_port={number}-{number + 1}")
        assert port.recv(2000)[0] == 0x80


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("timeout", r"Session: \w+;timeout=60"),
        ("plain", r"Session: \w+$"),
        ("spaces", r"Session: \w+ ; timeout = 60"),
        ("long", r"Session: [\w.+$-]{200,};timeout=60"),
        ("new-each-time", r"Session: \w+;timeout=60"),
    ],
)
def test_session_headers(form: str, wanted: str) -> None:
    with client_of(session_header=form) as client:
        assert re.search(wanted, client.play()), form


@pytest.mark.parametrize("info", ["right", "missing", "wrong"])
def test_rtp_info(info: str) -> None:
    with client_of(rtp_info=info) as client:
        head = client.play()
        first = client.get(1)[0]
    found = re.search(r"RTP-Info: .*;seq=(\d+);rtptime=(\d+)", head)
    assert bool(found) == (info != "missing")
    if found:
        assert (int(found[1]) == first.sequence) == (info == "right")


def test_methods_are_refused_and_not_listed() -> None:
    with client_of(refuse=["GET_PARAMETER=501", "PLAY=453"], refuse_times=1) as client:
        listed = client.ask("OPTIONS")[0]
        assert "GET_PARAMETER" not in listed
        assert "SET_PARAMETER" in listed
        assert " 501 " in client.ask("GET_PARAMETER")[0]
        assert " 200 " in client.ask("GET_PARAMETER")[0]
        assert " 453 " in client.play()
        assert " 200 " in client.ask("PLAY")[0]


@pytest.mark.parametrize(("public", "listed"), [("all", True), ("missing", False)])
def test_public_lies(public: str, *, listed: bool) -> None:
    with client_of(public=public, refuse=["GET_PARAMETER=501"]) as client:
        assert ("GET_PARAMETER" in client.ask("OPTIONS")[0]) == listed


def test_teardown_is_not_answered() -> None:
    with client_of(no_teardown_answer=True) as client:
        client.play()
        client.connection.settimeout(0.4)
        with pytest.raises(TimeoutError):
            client.ask("TEARDOWN")


def test_answers_take_their_time() -> None:
    with client_of(answer_after=0.3) as client:
        began_s = time.monotonic()
        client.ask("OPTIONS")
    assert time.monotonic() - began_s >= 0.3


@pytest.mark.parametrize(
    "sent", [b"\x80" * 70_000, b"GARBAGE\r\n\r\n", b"PLAY x RTSP/1.0\r\nContent-Length: -4\r\n\r\n"]
)
def test_what_is_no_request_ends_the_connection(sent: bytes) -> None:
    with client_of() as client:
        client.connection.sendall(sent)
        with pytest.raises((EOFError, ConnectionResetError)):
            client._message()


def test_nothing_of_a_camera_is_left_behind() -> None:
    before = threading.active_count()
    with camera_in_thread() as camera, connected(camera) as client:
        playing(client, 2)
    wait_until(lambda: threading.active_count() <= before, "threads end")
