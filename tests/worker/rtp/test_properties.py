"""Whatever the packets, the pictures are the same; whatever else comes, nothing breaks."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.rtpcamera import RATE, Packet, Unit, avc, encoded, payloads, stap_a
from touchline.ipc.tee import Frame
from touchline.media.h264 import units as h264
from touchline.worker.rtp import H264Stream, StreamError

START_NS, STEP_NS = 1_000_000_000_000, 40_000_000
STREAMS = [
    "keyint=15:bframes=0",
    "keyint=15:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal",
    "keyint=15:bframes=2:slices=4:aud=1",
    "keyint=15:slice-max-size=200",
]


@st.composite
def packetised(draw: st.DrawFn) -> tuple[tuple[Unit, ...], list[list[bytes]]]:
    """A stream, and its pictures' payloads cut and joined at random."""
    units = encoded(30, draw(st.sampled_from(STREAMS)))
    sent = []
    for unit in units:
        parts: list[bytes] = []
        nals = list(unit.nals)
        while nals:
            together = draw(st.integers(1, len(nals)))
            some, nals = nals[:together], nals[together:]
            if draw(st.booleans()):
                parts.append(stap_a(some))
            else:
                mtu = draw(st.integers(20, 3000))
                parts += [part for nal in some for part in payloads(nal, mtu)]
        sent.append(parts)
    return units, sent


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packetised(), st.data())
def test_the_same_pictures_come_out_of_any_packets(
    made: tuple[tuple[Unit, ...], list[list[bytes]]], data: st.DataObject
) -> None:
    units, sent = made
    number = data.draw(st.integers(0, 65_535), "first number")
    first_time = data.draw(st.integers(0, 2**32 - 1), "first time")
    markers = data.draw(st.sampled_from(["right", "none", "all"]), "markers")
    frames: list[Frame] = []
    stream = H264Stream(RATE, [], frames.append)
    for n, (unit, parts) in enumerate(zip(units, sent, strict=True)):
        for m, part in enumerate(parts, 1):
            marker = markers == "all" or (markers == "right" and m == len(parts))
            packet = Packet(part, first_time + unit.shown * 3600, marker, number)
            stream.packet(memoryview(packet.pack()), START_NS + n * STEP_NS)
            number += 1
    stream.flush()
    assert [frame.data for frame in frames] == [avc(unit.nals) for unit in units]
    assert [frame.keyframe for frame in frames] == [unit.keyframe for unit in units]
    assert stream.damaged == 0


def rtp(body: bytes, time: int, number: int, flags: int) -> bytes:
    """A packet with any flags."""
    return struct.pack(">BBHII", 0x80 | flags & 0x3F, flags, number, time, flags % 3) + body


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.builds(
                lambda body, time, number, flags: (
                    struct.pack(">BBHII", 0x80 | flags & 0x3F, flags, number, time, flags % 3)
                    + body
                ),
                st.binary(max_size=60),
                st.integers(0, 2**32 - 1),
                st.integers(0, 20) | st.integers(0, 65_535),
                st.integers(0, 255),
            ),
        ),
        max_size=40,
    )
)
def test_garbage_raises_nothing_but_a_stream_error(garbage: list[bytes]) -> None:
    frames: list[Frame] = []
    stream = H264Stream(RATE, list(encoded(2, STREAMS[0])[0].nals[:2]), frames.append)
    with suppress(StreamError):
        for n, each in enumerate(garbage):
            stream.packet(each, START_NS + n * 1_000_000)
            stream.due(START_NS + n * 1_000_000)
        stream.broken("a test")
    assert all(0 <= frame.dts_ns <= frame.pts_ns < 2**63 for frame in frames)


def slices(data: bytes) -> tuple[bytes, ...]:
    """What a decoder needs of a frame; its delimiters and messages may be lost."""
    return tuple(bytes(unit) for unit in h264.units(data) if unit[0] & 31 in {1, 5})


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_damaged_streams_lose_only_what_is_damaged(data: st.DataObject) -> None:
    units = encoded(60, data.draw(st.sampled_from(STREAMS), "stream"))
    raw, number = [], 0
    for unit in units:
        for nal in unit.nals:
            for part in payloads(nal, 120):
                raw.append(Packet(part, unit.shown * 3600, False, number).pack())
                number += 1
    # Behind the last packet no number tells that another one is missing.
    dropped = data.draw(st.sets(st.integers(0, len(raw) - 2), max_size=12), "dropped")
    times = data.draw(
        st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4) | st.none(), "wild times"
    )
    frames: list[Frame] = []
    stream = H264Stream(RATE, [], frames.append)
    for n, packet in enumerate(raw):
        if n in dropped:
            continue
        if times is not None and n % 13 == 0:
            raw[n] = packet[:4] + times[n % 4].to_bytes(4, "big") + packet[8:]
        stream.packet(raw[n], START_NS + n * 5_000_000)
    stream.flush()
    whole = {slices(avc(unit.nals)) for unit in units}
    assert all(slices(frame.data) in whole for frame in frames)
    assert all(a.dts_ns < b.dts_ns for a, b in pairwise(frames))
    assert all(0 <= frame.dts_ns <= frame.pts_ns < 2**63 for frame in frames)
    if not dropped:
        assert len(frames) == 60


def endless(kind: str) -> list[bytes]:
    """A packet for each turn of a picture that never ends."""
    slice_ = next(n for n in encoded(2, STREAMS[0])[1].nals if n[0] & 31 == 1)
    begin = payloads(slice_ + bytes(range(1, 256)) * 20, 1400)
    if kind == "fragments":
        return begin[:2]
    if kind == "slices":
        return [b"\x41" + b"\x7f" + slice_[2:]]
    if kind == "messages":
        return [b"\x06\x05\xff" + bytes(range(1, 250)) * 5]
    return [stap_a([b"\x09\xf0"] * 400)]


@pytest.mark.parametrize(
    ("kind", "packets", "ends"),
    [("fragments", 13_000, True), ("slices", 5000, True), ("messages", 3000, False),
     ("delimiters", 300, False)],
)  # fmt: skip
def test_a_picture_without_an_end_does_not_fill_the_memory(
    kind: str, packets: int, *, ends: bool
) -> None:
    frames: list[Frame] = []
    stream = H264Stream(RATE, [], frames.append)
    for n, part in enumerate(p for nal in encoded(2, STREAMS[0])[0].nals for p in payloads(nal)):
        stream.packet(Packet(part, 0, False, n).pack(), START_NS)
    turns = endless(kind)
    bodies = (turns[min(n, len(turns) - 1)] for n in range(packets))
    raw = (Packet(body, 3600, False, n).pack() for n, body in enumerate(bodies, 100))
    tracemalloc.start()
    try:
        assert (refusal(stream, raw) is not None) == ends
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()


def refusal(stream: H264Stream, raw: Iterable[bytes]) -> str | None:
    """Why the stream was given up."""
    try:
        for each in raw:
            stream.packet(each, START_NS)
    except StreamError as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", [25, 26, 27, 29])
def test_interleaved_packets_are_refused_with_what_to_do(kind: int) -> None:
    stream = H264Stream(RATE, [], lambda _frame: None)
    raw = [Packet(bytes([kind]) + b"\0" * 40, 0, False, n).pack() for n in range(3)]
    assert "packetization mode 1" in (refusal(stream, raw) or "")


def test_what_is_no_rtp_is_refused() -> None:
    stream = H264Stream(RATE, [], lambda _frame: None)
    assert "valid RTP" in (refusal(stream, [b"HTTP/1.1 200 OK\r\n\r\n"] * 2000) or "")


@pytest.mark.parametrize(
    ("first", "before", "after"),
    [
        (0x82, struct.pack(">II", 1, 2), b""),
        (0x90, struct.pack(">HHI", 0xBEDE, 1, 0), b""),
        (0xA0, b"", b"\0\0\3"),
        (0xB1, struct.pack(">IHHQ", 1, 0xBEDE, 2, 0), b"\1"),
    ],
)
def test_sources_extensions_and_padding_are_no_payload(
    first: int, before: bytes, after: bytes
) -> None:
    units, frames = encoded(4, STREAMS[0]), list[Frame]()
    stream = H264Stream(RATE, [], frames.append)
    for n, unit in enumerate(units):
        raw = Packet(stap_a(unit.nals), n * 3600, True, n).pack()
        stream.packet(bytes([first]) + raw[1:12] + before + raw[12:] + after, START_NS)
    stream.flush()
    assert [frame.data for frame in frames] == [avc(unit.nals) for unit in units]
    stream.packet(bytes([0xBF]) + bytes(20) + b"\xff", START_NS)
    assert stream.counts["invalid RTP packets"] == 1
