"""MPEG transport stream segments of H.264 for HLS.

Every segment is independent: it starts with its tables and, if the footage allows, a keyframe, and
continuity counters start at 0 because each segment's video fills a multiple of 16 packets. ISO/IEC
13818-1 (packets 2.4.3.2, PES 2.4.3.6, tables 2.4.4), RFC 8216, 3.2. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from touchline.media.h264 import units
from touchline.media.h264.codec import Codec

PACKET_BYTES = 188
TICKS_MODULO = 1 << 33
START_TICKS = 9_000
"""Start of the timeline: a tenth of a second, by which the clock precedes it."""

_PAYLOAD_BYTES = PACKET_BYTES - 4
_PID_TABLE, _PID_VIDEO = 0x1000, 0x0100
_CLOCK_LEAD_TICKS = START_TICKS
_VIDEO_STREAM, _TYPE_H264 = 0xE0, 0x1B
_DELIMITER = units.START_CODE + bytes((units.AUD, 0xF0))


class TimedFrame(NamedTuple):
    """An encoded frame in AVC form, with times in ticks of 90 kHz on the playlist's timeline."""

    data: bytes
    pts: int
    dts: int
    keyframe: bool


def segment(codec: Codec, frames: Iterable[TimedFrame], *, number: int) -> bytes:
    """Build the segment with this number from frames in decode order.

    Raises ValueError for a frame with invalid units.
    """
    packets = [_table(0, _PAT, number), _table(_PID_TABLE, _PMT, number)]
    video = _Video()
    for frame in frames:
        video.append(_access_unit(frame, codec), frame)
    return b"".join((*packets, *video.finish()))


class _Video:
    """Packets of the video stream so far."""

    def __init__(self) -> None:
        self._packets: list[bytes] = []

    def append(self, unit: bytes, frame: TimedFrame) -> None:
        """Add a frame; its first packet carries the clock."""
        data = _pes_header(frame) + unit
        flags = 0x50 if frame.keyframe else 0x10  # random access, clock
        clock = bytes((flags,)) + _clock(frame.dts + START_TICKS - _CLOCK_LEAD_TICKS)
        room = _PAYLOAD_BYTES - 1 - len(clock)
        self._add(data[:room], clock, starts=True)
        at, last = room, len(data) - _PAYLOAD_BYTES
        heads, packets = _HEADS, self._packets
        while at <= last:
            packets.append(heads[len(packets) & 15] + data[at : at + _PAYLOAD_BYTES])
            at += _PAYLOAD_BYTES
        if at < len(data):
            self._add(data[at:], b"", starts=False)

    def finish(self) -> list[bytes]:
        """Return all packets, padded with zero bytes to a multiple of 16.

        Trailing zero bytes are allowed in the byte stream (H.264, B.1) and have no meaning.
        """
        while len(self._packets) & 15:
            self._add(b"\0", b"", starts=False)
        return self._packets

    def _add(self, payload: bytes, adaptation: bytes, *, starts: bool) -> None:
        """Add a packet, padded by its adaptation field."""
        field_bytes = _PAYLOAD_BYTES - len(payload)
        field = b""
        if field_bytes:
            body = (adaptation or (b"\0" if field_bytes > 1 else b"")).ljust(
                field_bytes - 1, b"\xff"
            )
            field = bytes((field_bytes - 1,)) + body
        control = (0x30 if field else 0x10) | len(self._packets) & 15
        pid = _PID_VIDEO | (0x4000 if starts else 0)
        self._packets.append(struct.pack(">BHB", 0x47, pid, control) + field + payload)


_HEADS = tuple(struct.pack(">BHB", 0x47, _PID_VIDEO, 0x10 | counter) for counter in range(16))


def _access_unit(frame: TimedFrame, codec: Codec) -> bytes:
    """Convert a frame to start codes, with a delimiter, and parameter sets before a keyframe."""
    found = list(units.units(frame.data, units.length_bytes(codec.avcc)))
    kinds = {unit[0] & 0x1F for unit in found}
    parts: list[bytes | memoryview] = []
    if units.AUD not in kinds:
        parts.append(_DELIMITER)
    elif found[0][0] & 0x1F == units.AUD:
        parts += [units.START_CODE, found.pop(0)]
    if frame.keyframe and units.SPS not in kinds:
        for parameter_set in units.parameter_sets(codec.avcc):
            parts += [units.START_CODE, parameter_set]
    for unit in found:
        parts += [units.START_CODE, unit]
    return b"".join(parts)


def _pes_header(frame: TimedFrame) -> bytes:
    pts, dts = frame.pts + START_TICKS, frame.dts + START_TICKS
    stamps = _stamp(2, pts) if pts == dts else _stamp(3, pts) + _stamp(1, dts)
    flags = 0x80 if pts == dts else 0xC0
    # The length of a video stream's packet may be left open; 0x84: data alignment.
    return struct.pack(">IHBBB", 0x100 | _VIDEO_STREAM, 0, 0x84, flags, len(stamps)) + stamps


def _stamp(prefix: int, ticks: int) -> bytes:
    ticks %= TICKS_MODULO
    return struct.pack(
        ">BHH",
        prefix << 4 | (ticks >> 29) & 0x0E | 1,
        (ticks >> 14) & 0xFFFE | 1,
        (ticks << 1) & 0xFFFE | 1,
    )


def _clock(ticks: int) -> bytes:
    ticks %= TICKS_MODULO
    return struct.pack(">IBB", ticks >> 1, (ticks & 1) << 7 | 0x7E, 0)


def _table(pid: int, section: bytes, number: int) -> bytes:
    head = struct.pack(">BHBB", 0x47, 0x4000 | pid, 0x10 | number & 15, 0)
    return (head + section).ljust(PACKET_BYTES, b"\xff")


def _section(table_id: int, body: bytes) -> bytes:
    """Build a section with program or stream number 1, version 0 and its checksum."""
    head = struct.pack(">BHHBBB", table_id, 0xB000 | len(body) + 9, 1, 0xC1, 0, 0)
    crc = 0xFFFF_FFFF
    for byte in head + body:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ 0x04C1_1DB7 if crc & 0x8000_0000 else crc << 1
        crc &= 0xFFFF_FFFF
    return head + body + struct.pack(">I", crc)


_PAT = _section(0, struct.pack(">HH", 1, 0xE000 | _PID_TABLE))
_PMT = _section(
    2, struct.pack(">HHBHH", 0xE000 | _PID_VIDEO, 0xF000, _TYPE_H264, 0xE000 | _PID_VIDEO, 0xF000)
)
