"""Encoded frames as RTP: H.264 payloads (RFC 6184), timestamps and recently sent packets.

Pure: no socket, no clock of its own.
"""

from __future__ import annotations

import struct
from collections import OrderedDict, deque
from typing import NamedTuple

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.units import AUD, SPS, length_bytes, parameter_sets, units

PAYLOAD_BYTES = 1200
"""With RTP, SRTP, TURN and IPv6 headers this fits into the packet size of every path."""

CLOCK_HZ = 90_000
_IDR, _FILLER = 5, 12
_STAP_A, _FU_A = 24, 28
_NRI, _TYPE = 0x60, 0x1F
_FU_START, _FU_END = 0x80, 0x40
_HEADER = struct.Struct(">BBHII")
_VERSION, _MARKER = 0x80, 0x80
_CATCH_UP_NS = 1_000_000
_CACHED_FRAMES = 64


def payloads(frame: LiveFrame) -> tuple[bytes, ...]:
    """Cut a frame into packets, with parameter sets before a keyframe.

    Raises ValueError if unit lengths exceed the frame.
    """
    found: list[bytes | memoryview] = [
        unit
        for unit in units(frame.data, length_bytes(frame.codec.avcc))
        if unit[0] & _TYPE not in {AUD, _FILLER}
    ]
    if frame.keyframe and not any(unit[0] & _TYPE == SPS for unit in found):
        found[:0] = parameter_sets(frame.codec.avcc)
    packets: list[bytes] = []
    small: list[bytes | memoryview] = []
    small_bytes = 1
    for unit in found:
        if small and small_bytes + 2 + len(unit) > PAYLOAD_BYTES:
            packets.append(_joined(small))
            small, small_bytes = [], 1
        if len(unit) > PAYLOAD_BYTES:
            packets += _fragments(unit)
        else:
            small.append(unit)
            small_bytes += 2 + len(unit)
    if small:
        packets.append(_joined(small))
    return tuple(packets)


def _joined(found: list[bytes | memoryview]) -> bytes:
    """Join units that fit into one packet (STAP-A); a single one stays unchanged."""
    if len(found) == 1:
        return bytes(found[0])
    importance = max(unit[0] & _NRI for unit in found)
    parts = [bytes((importance | _STAP_A,))]
    for unit in found:
        parts += [len(unit).to_bytes(2, "big"), bytes(unit)]
    return b"".join(parts)


def _fragments(unit: bytes | memoryview) -> list[bytes]:
    """Split a unit into fragments of about the same size (FU-A)."""
    body = memoryview(unit)[1:]
    count = -(-len(body) // (PAYLOAD_BYTES - 2))
    size = -(-len(body) // count)
    indicator, kind = unit[0] & _NRI | _FU_A, unit[0] & _TYPE
    pieces = []
    for at in range(0, len(body), size):
        flags = (_FU_START if at == 0 else 0) | (_FU_END if at + size >= len(body) else 0)
        pieces.append(bytes((indicator, kind | flags)) + body[at : at + size])
    return pieces


class Packetizer:
    """Splits frames into packets, once for all viewers."""

    def __init__(self) -> None:
        self._made: OrderedDict[int, tuple[bytes, tuple[bytes, ...]]] = OrderedDict()

    def payloads(self, frame: LiveFrame) -> tuple[bytes, ...]:
        """Return the packets of a frame; see the function of that name."""
        key = id(frame.data)  # the entry holds the data, so the number stays its own
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = (frame.data, payloads(frame))
            if len(self._made) > _CACHED_FRAMES:
                self._made.popitem(last=False)
        return made[1]


class RtpTimeline:
    """Computes RTP timestamps of one viewer's frames from their capture times.

    A viewer who joins is sent all frames since the last keyframe at once. With their true times
    those pictures would be played at normal speed, and the viewer would stay that far behind
    forever. With timestamps a millisecond apart, just before the present, they are played in fast
    motion.
    """

    def __init__(self, origin: int) -> None:
        self._origin = origin
        self._floor_ns: int | None = None
        self._last_ns: int | None = None

    def begin(self, present_ns: int, past_frames: int) -> None:
        """Start with that many earlier frames, the newest of them captured at `present_ns`."""
        floor_ns = present_ns - past_frames * _CATCH_UP_NS
        if self._last_ns is not None:
            floor_ns = max(floor_ns, self._last_ns + _CATCH_UP_NS)
        self._floor_ns = floor_ns

    def stamp(self, pts_ns: int) -> int:
        """Return the timestamp of the next frame."""
        if self._floor_ns is not None:
            if pts_ns >= self._floor_ns:
                self._floor_ns = None
            else:
                pts_ns = self._floor_ns
                self._floor_ns += _CATCH_UP_NS
        self._last_ns = pts_ns if self._last_ns is None else max(pts_ns, self._last_ns)
        return self.at(pts_ns)

    def at(self, monotonic_ns: int) -> int:
        """Return the timestamp of an instant."""
        return (self._origin + monotonic_ns * 9 // 100_000) & 0xFFFFFFFF


class SentPacket(NamedTuple):
    """A packet that was sent."""

    sequence: int
    marker: bool
    timestamp: int
    payload: bytes


class PacketHistory:
    """Packets sent recently, for repetition. Payloads are shared between viewers."""

    def __init__(self, size: int = 2048) -> None:
        self.size = size
        self._sent: deque[SentPacket] = deque(maxlen=size)

    def add(self, packet: SentPacket) -> None:
        """Add a packet; sequence numbers follow each other."""
        self._sent.append(packet)

    def find(self, sequence: int) -> SentPacket | None:
        """Return the packet of that number, if it is recent enough."""
        if not self._sent:
            return None
        back = (self._sent[-1].sequence - sequence) & 0xFFFF
        return self._sent[-1 - back] if back < len(self._sent) else None


def packed(packet: SentPacket, payload_type: int, ssrc: int) -> bytes:
    """Return the packet's bytes before encryption."""
    marked = payload_type | (_MARKER if packet.marker else 0)
    return _HEADER.pack(_VERSION, marked, packet.sequence, packet.timestamp, ssrc) + packet.payload
