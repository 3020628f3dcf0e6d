from __future__ import annotations

import socket
from contextlib import ExitStack

import anyio
import pytest

from touchline.live.rtsp.messages import Transport
from touchline.live.rtsp.udp import SenderUdpPair, _neighbours

pytestmark = pytest.mark.anyio


async def test_packets_leave_an_even_port_and_reports_the_next_one() -> None:
    with ExitStack() as stack:
        ours = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2)]
        for each in ours:
            each.bind(("127.0.0.1", 0))
            each.settimeout(20.0)
        ports = [each.getsockname()[1] for each in ours]
        wanted = Transport(interleaved=False, rtp=ports[0], rtcp=ports[1])
        pair = await SenderUdpPair.open("127.0.0.1", "127.0.0.1", wanted, lambda: None)
        try:
            assert pair.port % 2 == 0
            for rtcp in (False, True):
                pair.send(b"data", rtcp=rtcp)
                data, sender = await anyio.to_thread.run_sync(ours[rtcp].recvfrom, 100)
                assert (data, sender[1]) == (b"data", pair.port + rtcp)
        finally:
            pair.close()


async def test_only_the_client_is_heard() -> None:
    heard: list[str] = []
    wanted = Transport(interleaved=False, rtp=5000, rtcp=5001)
    pair = await SenderUdpPair.open("127.0.0.1", "127.0.0.2", wanted, lambda: heard.append("it"))
    try:
        pair.datagram_received(b"", ("127.0.0.1", 5001))
        assert heard == []
        pair.datagram_received(b"", ("127.0.0.2", 5001))
        assert heard == ["it"]
    finally:
        pair.close()


async def test_both_families_have_pairs() -> None:
    for host in ("127.0.0.1", "::1"):
        first, second = _neighbours(host)
        with first, second:
            assert second.getsockname()[1] == first.getsockname()[1] + 1


async def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(OSError, match="free"):
        _neighbours("192.0.2.1")
