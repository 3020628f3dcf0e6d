from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from touchline.sim.rtsp.transport import Datagrams, Interleaved, Wire

Pair = tuple[Wire, socket.socket, threading.Event]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    gone = threading.Event()
    with ours, theirs:
        theirs.settimeout(30.0)
        yield Wire(ours, lambda: 0.0, gone), theirs, gone


def test_packets_are_framed_with_their_channel(pair: Pair) -> None:
    wire, client, _ = pair
    track = Interleaved(wire, 4)
    track.rtp([b"one", b"three"])
    assert client.recv(100) == b"$\x04\x00\x03one$\x04\x00\x05three"
    track.rtcp(b"rr")
    assert client.recv(100) == b"$\x05\x00\x02rr"
    track.close()
    wire.write(b"still open")
    assert client.recv(100) == b"still open"


def test_stray_bytes_and_packets_stand_before_ours(pair: Pair) -> None:
    wire, client, _ = pair
    Interleaved(wire, 0, stray_bytes=7, stray_channel=True).rtp([b"one"])
    data = client.recv(1000)
    assert data.startswith(b"$\x63")
    assert data.endswith(b"$\x00\x00\x03one")
    assert len(data) == 4 + len(b"somebody else's") + 7 + 4 + 3


def test_a_write_may_come_in_small_pieces(pair: Pair) -> None:
    wire, client, _ = pair
    writer = threading.Thread(target=lambda: wire.write(b"0123456789", at_a_time=3))
    writer.start()
    found = b""
    while len(found) < 10:
        found += client.recv(100)
    writer.join(30.0)
    assert found == b"0123456789"


def test_whoever_waits_is_let_go_when_the_client_is_gone(pair: Pair) -> None:
    _, client, gone = pair
    held = Wire(client, lambda: 60.0, gone)
    gone.set()
    with pytest.raises(ConnectionAbortedError):
        held.write(b"late")


def test_datagrams_leave_a_pair_of_ports_and_reports_are_heard(pair: Pair) -> None:
    wire, _, _ = pair
    with (
        socket.socket(type=socket.SOCK_DGRAM) as rtp,
        socket.socket(type=socket.SOCK_DGRAM) as rtcp,
    ):
        for each in (rtp, rtcp):
            each.bind(("127.0.0.1", 0))
            each.settimeout(30.0)
        ports = (rtp.getsockname()[1], rtcp.getsockname()[1])
        track = Datagrams("127.0.0.1", ("127.0.0.1", *ports), wire)
        try:
            assert track.ports[1] == track.ports[0] + 1
            assert track.ports[0] % 2 == 0
            track.rtp([b"one", b"two"])
            assert [rtp.recv(10) for _ in range(2)] == [b"one", b"two"]
            track.rtcp(b"report")
            assert rtcp.recvfrom(10) == (b"report", ("127.0.0.1", track.ports[1]))
            assert not track.heard()
            rtcp.sendto(b"rr", ("127.0.0.1", track.ports[1]))
            assert track.heard()
            assert not track.heard()
        finally:
            track.close()
