"""What a viewer may ask of its stream: lost packets again, a keyframe, and nothing too often."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, cast

import pytest
from aiortc import RTCDtlsTransport
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
    is_rtcp,
)

from support.codedcamera import GOP, coded_frames
from touchline.live.frames.stream import CameraStream
from touchline.live.webrtc.rtp import Packetizer
from touchline.live.webrtc.sdp import OfferedFormat
from touchline.live.webrtc.sender import PacketPace, ViewerSender

pytestmark = pytest.mark.anyio

FORMAT = OfferedFormat(108, 109, {}, ("nack", "nack pli"))


class Transport:
    """Keeps what is sent, as the viewer would read it."""

    def __init__(self) -> None:
        self.media: list[RtpPacket] = []
        self.control: list[Any] = []
        self.gone = False
        self.open = asyncio.Event()
        self.open.set()
        self.senders: list[ViewerSender] = []

    async def _send_rtp(self, data: bytes) -> None:
        await self.open.wait()
        if self.gone:
            raise ConnectionError("the viewer is gone")
        if is_rtcp(data):
            self.control += RtcpPacket.parse(data)
        else:
            self.media.append(RtpPacket.parse(data))

    def _register_rtp_sender(self, sender: ViewerSender, parameters: object) -> None:
        self.senders.append(sender)

    def _unregister_rtp_sender(self, sender: ViewerSender) -> None:
        self.senders.remove(sender)


class Rig:
    """A stream, a sender and the other end."""

    def __init__(self) -> None:
        self.frames = coded_frames()
        self.stream = CameraStream("cam0")
        self.transport = Transport()
        self.sender = ViewerSender(self.stream, Packetizer(), cname="c")
        self.running: asyncio.Task[None] | None = None

    def push(self, count: int) -> None:
        for frame in islice(self.frames, count):
            self.stream.push(frame)

    def begin(self, chosen: OfferedFormat = FORMAT) -> None:
        transport = cast("RTCDtlsTransport", self.transport)
        self.running = asyncio.create_task(self.sender.run(transport, chosen))

    async def sent(self, frames: int) -> None:
        deadline = time.monotonic() + 5
        while self.sender.frames < frames:
            assert time.monotonic() < deadline, self.sender.to_json()
            await asyncio.sleep(0.002)


@asynccontextmanager
async def sending(chosen: OfferedFormat = FORMAT) -> AsyncIterator[Rig]:
    rig = Rig()
    rig.push(GOP)
    rig.begin(chosen)
    await rig.sent(GOP)
    try:
        yield rig
    finally:
        assert rig.running is not None
        rig.running.cancel()
        await asyncio.gather(rig.running, return_exceptions=True)
        assert rig.transport.senders == []


def nack(rig: Rig, *sequences: int) -> RtcpRtpfbPacket:
    return RtcpRtpfbPacket(RTCP_RTPFB_NACK, 1, rig.sender.ssrc, list(sequences))


def pli(rig: Rig) -> RtcpPsfbPacket:
    return RtcpPsfbPacket(RTCP_PSFB_PLI, 1, rig.sender.ssrc)


async def test_packets_are_numbered_and_a_frames_last_one_is_marked() -> None:
    async with sending() as rig:
        media = rig.transport.media
        first = media[0].sequence_number
        assert [p.sequence_number for p in media] == [
            (first + n) & 0xFFFF for n in range(len(media))
        ]
        assert {(p.payload_type, p.ssrc) for p in media} == {(108, rig.sender.ssrc)}
        assert sum(p.marker for p in media) == GOP
        assert len({p.timestamp for p in media}) == GOP


async def test_a_lost_packet_is_sent_again_in_the_retransmission_stream() -> None:
    async with sending() as rig:
        lost = rig.transport.media[3]
        await rig.sender._handle_rtcp_packet(nack(rig, lost.sequence_number))
        again = rig.transport.media[-1]
        assert (again.payload_type, again.ssrc) == (109, rig.sender.rtx_ssrc)
        assert again.payload == lost.sequence_number.to_bytes(2, "big") + lost.payload
        assert (again.timestamp, again.marker) == (lost.timestamp, lost.marker)


async def test_without_a_retransmission_stream_the_packet_itself_is_repeated() -> None:
    async with sending(OfferedFormat(108, None, {}, ("nack",))) as rig:
        lost = rig.transport.media[0]
        await rig.sender._handle_rtcp_packet(nack(rig, lost.sequence_number))
        assert rig.transport.media[-1].serialize() == lost.serialize()


async def test_asking_again_at_once_or_for_what_never_was_brings_nothing() -> None:
    async with sending() as rig:
        lost = rig.transport.media[0].sequence_number
        for sequence in (lost, lost, (lost - 1) & 0xFFFF, (lost + 5000) & 0xFFFF):
            await rig.sender._handle_rtcp_packet(nack(rig, sequence))
        assert rig.sender.resent == 1


async def test_a_viewer_that_lost_its_way_gets_the_camera_asked_at_most_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sending() as rig:
        asked: list[float] = []
        monkeypatch.setattr(rig.stream, "request_keyframe", lambda: asked.append(0.0))
        for _ in range(20):
            await rig.sender._handle_rtcp_packet(pli(rig))
        assert len(asked) == 1
        assert rig.sender.keyframes_asked == 20


async def test_where_the_camera_makes_no_keyframe_the_kept_pictures_are_sent_again() -> None:
    async with sending() as rig:
        rig.push(5 + 1)
        await rig.sent(GOP + 6)
        latest = rig.transport.media[-1].timestamp
        await rig.sender._handle_rtcp_packet(pli(rig))
        await rig.sent(GOP + 6 + 6)  # the second GOP so far, once more
        assert rig.stream.subscribers == 1
        times = [p.timestamp for p in rig.transport.media if p.payload_type == 108]
        assert times[-1] > latest


async def test_where_it_does_the_stream_goes_on_with_that() -> None:
    async with sending() as rig:
        await rig.sender._handle_rtcp_packet(pli(rig))
        rig.push(1)  # the next GOP's keyframe
        await rig.sent(GOP + 1)
        await asyncio.sleep(0.4)
        assert rig.sender.frames == GOP + 1


async def test_one_who_is_behind_goes_on_at_the_newest_keyframe() -> None:
    async with sending() as rig:
        rig.transport.open.clear()
        rig.push(GOP)  # of which it sends the first
        await asyncio.sleep(0.01)
        rig.push(3)
        rig.transport.open.set()
        await rig.sent(GOP + 1 + 3)
        assert rig.stream.dropped == GOP - 1
        assert rig.sender.frames == GOP + 4
    assert rig.sender.skipped == GOP - 1


async def test_frames_out_of_order_are_left_out_unless_others_need_them() -> None:
    async with sending() as rig:
        (last,) = islice(rig.frames, 1)
        needed, spare = b"\0\0\0\x03\x41ab", b"\0\0\0\x03\x01ab"
        for ahead_ms, data in ((3, needed), (1, spare), (2, needed), (6, spare)):
            pts_ns = last.pts_ns + ahead_ms * 1_000_000
            rig.stream.push(last._replace(data=data, pts_ns=pts_ns, keyframe=False))
        await rig.sent(GOP + 3)
        assert [p.payload for p in rig.transport.media[-3:]] == [b"\x41ab", b"\x41ab", b"\x01ab"]
        assert rig.sender.skipped == 1


async def test_reports_tell_the_clock_on_the_wall_and_the_end() -> None:
    async with sending() as rig:
        assert any(isinstance(p, RtcpSrPacket) for p in rig.transport.control)
        await rig.sender.send_bye()
        assert isinstance(rig.transport.control[-1], RtcpByePacket)


async def test_a_transport_that_is_gone_ends_it() -> None:
    async with sending() as rig:
        rig.transport.gone = True
        rig.push(1)
        assert rig.running is not None
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(asyncio.shield(rig.running), 5)


def test_a_large_frame_is_spread_and_a_small_one_goes_at_once() -> None:
    pace = PacketPace()
    assert pace.take(1200) == 0
    pauses = [pace.take(1200) for _ in range(100)]
    assert sum(pause > 0 for pause in pauses) > 50
    assert max(pauses) < 0.1
