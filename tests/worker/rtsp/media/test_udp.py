from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from touchline.worker.rtsp.link import Link
from touchline.worker.rtsp.media.udp import ReceiverUdpPair


@pytest.fixture
def pair() -> Iterator[ReceiverUdpPair]:
    link = SimpleNamespace(own_host="127.0.0.1", peer_host="127.0.0.1", family=socket.AF_INET)
    made = ReceiverUdpPair(cast("Link", link))
    yield made
    made.close()


@pytest.fixture
def camera() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(30.0)
        yield made


def taken(pair: ReceiverUdpPair) -> list[bytes]:
    """What has arrived, once something has."""
    poll = select.poll()
    for each in pair.sockets:
        poll.register(each.fileno(), select.POLLIN)
    found: list[bytes] = []
    ready = frozenset(descriptor for descriptor, _ in poll.poll(30_000))
    pair.take(ready, found.append)
    return found


def test_a_pair_is_an_even_port_and_the_next(pair: ReceiverUdpPair) -> None:
    rtp, rtcp = pair.ports
    assert (rtp % 2, rtcp) == (0, rtp + 1)


def test_all_packets_of_the_camera_are_taken_in_their_order(
    pair: ReceiverUdpPair, camera: socket.socket
) -> None:
    for number in range(5):
        camera.sendto(bytes([number]), ("127.0.0.1", pair.ports[0]))
    found = taken(pair)
    while len(found) < 5:
        found += taken(pair)
    assert found == [bytes([number]) for number in range(5)]
    pair.take(frozenset(), found.append)
    assert len(found) == 5, "nothing is read from ports that are not ready"


def test_packets_of_other_hosts_are_dropped_unless_the_camera_named_them(
    pair: ReceiverUdpPair, camera: socket.socket
) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        other.sendto(b"strange", ("127.0.0.1", pair.ports[0]))
        camera.sendto(b"own", ("127.0.0.1", pair.ports[0]))
        found: list[bytes] = []
        while b"own" not in found:
            found += taken(pair)
        assert found == [b"own"]
        pair.sent_from(None, "127.0.0.2")
        pair.sent_from(None, "not an address")
        other.sendto(b"known", ("127.0.0.1", pair.ports[0]))
        assert taken(pair) == [b"known"]


def test_reports_go_to_the_port_that_the_camera_named(
    pair: ReceiverUdpPair, camera: socket.socket
) -> None:
    pair.send(b"too early")
    pair.sent_from((1, camera.getsockname()[1]), None)
    pair.send(b"report")
    data, sender = camera.recvfrom(100)
    assert (data, sender) == (b"report", ("127.0.0.1", pair.ports[1]))


def test_a_path_through_a_firewall_is_opened_from_both_ports(
    pair: ReceiverUdpPair, camera: socket.socket
) -> None:
    port = camera.getsockname()[1]
    pair.sent_from((port, port), None)
    pair.open_path(b"report")
    senders = {camera.recvfrom(100)[1][1] for _ in range(2)}
    assert senders == set(pair.ports)


def test_a_port_where_nobody_listens_is_no_error(pair: ReceiverUdpPair) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    pair.sent_from((port, port), None)
    for _ in range(3):
        pair.send(b"report")
    found: list[bytes] = []
    pair.take(frozenset(each.fileno() for each in pair.sockets), found.append)
    assert found == []
