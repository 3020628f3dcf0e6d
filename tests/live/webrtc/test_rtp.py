"""Packets that any H.264 receiver puts together again, and timestamps that end in the present."""

from __future__ import annotations

from itertools import pairwise

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from touchline.live.frames.frame import LiveFrame
from touchline.live.webrtc.rtp import (
    PAYLOAD_BYTES,
    PacketHistory,
    Packetizer,
    RtpTimeline,
    SentPacket,
    packed,
    payloads,
)
from touchline.media.h264.codec import Codec

SPS, PPS = b"\x67\x64\x00\x28sps", b"\x68pps"
AVCC = (
    b"\x01\x64\x00\x28\xff\xe1"
    + len(SPS).to_bytes(2, "big")
    + SPS
    + b"\x01"
    + len(PPS).to_bytes(2, "big")
    + PPS
)
CODEC = Codec(320, 180, AVCC)
MS = 1_000_000


def unit(kind: int, size: int) -> bytes:
    """A NAL unit of that type and size, its body without a start code in it."""
    return bytes([0x60 | kind]) + bytes(1 + n % 251 for n in range(size - 1))


def frame(*units: bytes, keyframe: bool = False) -> LiveFrame:
    data = b"".join(len(u).to_bytes(4, "big") + u for u in units)
    return LiveFrame(data, 0, 0, 33 * MS, keyframe, broken=False, codec=CODEC)


def received(packets: tuple[bytes, ...]) -> bytes:
    """What a receiver makes of them: units behind start codes."""
    return b"".join(h264_depayload(packet) for packet in packets)


def annex_b(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + u for u in units)


@given(st.lists(st.integers(2, 5000), min_size=1, max_size=12), st.booleans())
def test_a_receiver_gets_every_unit_back_and_no_packet_is_too_large(
    sizes: list[int],
    keyframe: bool,  # noqa: FBT001
) -> None:
    units = [unit(5 if keyframe else 1, size) for size in sizes]
    packets = payloads(frame(*units, keyframe=keyframe))
    parameters = [SPS, PPS] if keyframe else []
    assert received(packets) == annex_b(*parameters, *units)
    assert max(map(len, packets)) <= PAYLOAD_BYTES


def test_parameter_sets_that_the_frame_brings_are_not_doubled() -> None:
    idr = unit(5, 100)
    assert received(payloads(frame(SPS, PPS, idr, keyframe=True))) == annex_b(SPS, PPS, idr)


def test_delimiters_and_filler_are_left_out() -> None:
    slice_ = unit(1, 100)
    packets = payloads(frame(unit(9, 2), slice_, unit(12, 3000)))
    assert packets == (slice_,)


def test_a_frame_with_a_length_that_leads_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        payloads(LiveFrame(b"\0\0\0\x09\x65", 0, 0, 0, keyframe=False, broken=False, codec=CODEC))


def test_a_frame_is_cut_once_for_all_viewers() -> None:
    packetizer = Packetizer()
    first = frame(unit(1, 3000))
    assert packetizer.payloads(first) is packetizer.payloads(first._replace(broken=True))
    for n in range(200):
        packetizer.payloads(frame(unit(1, 100 + n)))
    assert packetizer.payloads(first) == payloads(first)


def test_live_frames_keep_their_capture_times() -> None:
    timeline = RtpTimeline(origin=5)
    timeline.begin(1000 * MS, past_frames=0)
    stamps = [timeline.stamp(n * MS) for n in (1000, 1033, 1067)]
    assert [stamp - 5 for stamp in stamps] == [1000 * 90, 1033 * 90, 1067 * 90]


def test_the_past_is_played_in_fast_motion_up_to_the_present() -> None:
    timeline = RtpTimeline(origin=0)
    now = 10_000
    past = [now - 3000 + 33 * n for n in range(91)]
    timeline.begin(now * MS, len(past))
    stamps = [timeline.stamp(t * MS) / 90 for t in past]
    assert stamps[0] == now - 91
    assert all(later - earlier == 1 for earlier, later in pairwise(stamps))
    assert timeline.stamp((now + 5) * MS) / 90 == now + 5


def test_a_camera_whose_frames_come_late_is_not_played_behind_its_own_present() -> None:
    timeline = RtpTimeline(origin=0)
    newest = 9_550  # it is 10,000 by our clock: each frame comes 450 ms after it was captured
    past = [newest - 3000 + 33 * n for n in range(91)]
    timeline.begin(newest * MS, len(past))
    caught_up = [timeline.stamp(t * MS) / 90 for t in past]
    live = [timeline.stamp((newest + 33 * n) * MS) / 90 for n in (1, 2, 3)]
    assert caught_up[-1] <= newest
    assert live == [newest + 33, newest + 66, newest + 99]


def test_a_second_start_never_goes_back_in_time() -> None:
    timeline = RtpTimeline(origin=0)
    timeline.begin(10_000 * MS, 0)
    last = timeline.stamp(10_000 * MS)
    timeline.begin(10_005 * MS, past_frames=50)
    assert timeline.stamp(9_000 * MS) > last


def test_timestamps_and_sequences_wrap_around() -> None:
    timeline = RtpTimeline(origin=0xFFFFFFFF)
    timeline.begin(0, 0)
    assert timeline.stamp(100_000) == 8
    data = packed(SentPacket(0xFFFF, marker=True, timestamp=8, payload=b"x"), 108, 7)
    parsed = RtpPacket.parse(data)
    assert (parsed.sequence_number, parsed.marker, parsed.payload_type) == (0xFFFF, 1, 108)
    assert (parsed.timestamp, parsed.ssrc, parsed.payload) == (8, 7, b"x")


def test_the_history_finds_recent_packets_across_the_wrap_and_no_others() -> None:
    history = PacketHistory(size=10)
    assert history.find(0) is None
    for n in range(65_530, 65_550):
        history.add(SentPacket(n & 0xFFFF, marker=False, timestamp=n, payload=b""))
    for n in range(65_540, 65_550):
        found = history.find(n & 0xFFFF)
        assert found is not None
        assert found.timestamp == n
    assert history.find(65_539 & 0xFFFF) is None
    assert history.find(14) is None
