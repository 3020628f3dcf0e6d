"""An endless MPEG transport stream with its position in it: valid packets, no pictures.

Layout according to ISO/IEC 13818-1: PAT and PMT twice a second, one private stream with a clock
reference, and in each of its packets a counter, so that a reader can detect what it missed.
"""

from __future__ import annotations

import struct

PACKET_BYTES = 188
PID_PMT, PID_DATA = 0x1000, 0x0100
TABLES_EVERY_S = 0.5
MAGIC = b"TLSIM"
"""Marker before the packet number (eight bytes) in each private packet."""

_PRIVATE_STREAM = 0x06


class TransportStream:
    """Packets for one reader at `bits_per_s`."""

    def __init__(self, bits_per_s: int) -> None:
        self._bits_per_s = bits_per_s
        self._sent = 0
        self._number = 0
        self._continuity = {0: 0, PID_PMT: 0, PID_DATA: 0}
        self._tables_due_s = 0.0

    def until(self, elapsed_s: float) -> bytes:
        """Return the packets that are due at this time, counted from the first one."""
        wanted = int(elapsed_s * self._bits_per_s / 8 / PACKET_BYTES) + 1
        packets: list[bytes] = []
        while self._sent + len(packets) < wanted:
            at_s = (self._sent + len(packets)) * PACKET_BYTES * 8 / self._bits_per_s
            if at_s >= self._tables_due_s:
                self._tables_due_s += TABLES_EVERY_S
                packets += [self._table(0, _PAT), self._table(PID_PMT, _PMT)]
            packets.append(self._data(at_s))
        self._sent += len(packets)
        return b"".join(packets)

    def _header(self, pid: int, *, starts: bool, adaptation: bool) -> bytes:
        counter = self._continuity[pid]
        self._continuity[pid] = (counter + 1) & 0x0F
        flags = 0x30 if adaptation else 0x10
        return struct.pack(">BHB", 0x47, (0x4000 if starts else 0) | pid, flags | counter)

    def _table(self, pid: int, section: bytes) -> bytes:
        packet = self._header(pid, starts=True, adaptation=False) + b"\0" + section
        return packet.ljust(PACKET_BYTES, b"\xff")

    def _data(self, at_s: float) -> bytes:
        """Return a packet with the clock and a complete PES packet."""
        ticks = int(at_s * 90_000) & 0x1_FFFF_FFFF
        clock = struct.pack(">IBB", ticks >> 1, ((ticks & 1) << 7) | 0x7E, 0)
        adaptation = struct.pack(">BB", 7, 0x10) + clock
        stamp = bytes(
            (
                0x21 | (ticks >> 29) & 0x0E,
                (ticks >> 22) & 0xFF,
                0x01 | (ticks >> 14) & 0xFE,
                (ticks >> 7) & 0xFF,
                0x01 | (ticks << 1) & 0xFE,
            )
        )
        room = PACKET_BYTES - 4 - len(adaptation)
        payload = MAGIC + struct.pack(">Q", self._number)
        self._number += 1
        pes_header = b"\x80\x80\x05" + stamp
        length = room - 6
        pes = b"\0\0\x01\xbd" + struct.pack(">H", length) + pes_header + payload
        header = self._header(PID_DATA, starts=True, adaptation=True)
        return header + adaptation + pes.ljust(room, b"\xff")


def _section(table_id: int, body: bytes) -> bytes:
    length = len(body) + 4
    section = struct.pack(">BH", table_id, 0xB000 | length) + body
    return section + struct.pack(">I", _crc32(section))


def _crc32(data: bytes) -> int:
    """Return the CRC of ISO/IEC 13818-1, annex A, which differs from that of zlib."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


_PAT = _section(0x00, struct.pack(">HBBBHH", 1, 0xC1, 0, 0, 1, 0xE000 | PID_PMT))
_PMT = _section(
    0x02,
    struct.pack(">HBBBHH", 1, 0xC1, 0, 0, 0xE000 | PID_DATA, 0xF000)
    + struct.pack(">BHH", _PRIVATE_STREAM, 0xE000 | PID_DATA, 0xF000),
)
