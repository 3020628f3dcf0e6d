from __future__ import annotations

import struct

import pytest

from touchline.sim.mpegts import MAGIC, PACKET_BYTES, PID_DATA, PID_PMT, TransportStream, _crc32

BITS_PER_S = 1_000_000


def packets(data: bytes) -> list[bytes]:
    assert len(data) % PACKET_BYTES == 0
    return [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]


def pid_of(packet: bytes) -> int:
    assert packet[0] == 0x47
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def test_as_much_is_due_as_its_rate_says_whenever_it_is_asked() -> None:
    at_once, in_steps = TransportStream(BITS_PER_S), TransportStream(BITS_PER_S)
    whole = at_once.until(2.0)
    assert b"".join(in_steps.until(n / 50) for n in range(101)) == whole
    assert len(whole) * 8 == pytest.approx(2.0 * BITS_PER_S, rel=0.02)
    assert at_once.until(2.0) == b""


def test_each_stream_counts_its_packets_so_that_a_reader_sees_what_it_missed() -> None:
    found = packets(TransportStream(BITS_PER_S).until(1.0))
    for pid in (0, PID_PMT, PID_DATA):
        counters = [each[3] & 0x0F for each in found if pid_of(each) == pid]
        assert counters == [n % 16 for n in range(len(counters))]
    numbers = [
        struct.unpack_from(">Q", each, each.index(MAGIC) + len(MAGIC))[0]
        for each in found
        if pid_of(each) == PID_DATA
    ]
    assert numbers == list(range(len(numbers)))


def test_tables_come_twice_a_second_and_are_whole() -> None:
    found = packets(TransportStream(BITS_PER_S).until(1.9))
    tables = [each for each in found if pid_of(each) in {0, PID_PMT}]
    assert [pid_of(each) for each in tables] == [0, PID_PMT] * 4
    assert pid_of(found[0]) == 0, "whoever joins first is told what there is"
    for each in tables:
        (length,) = struct.unpack_from(">H", each, 6)
        section = each[5 : 8 + (length & 0x0FFF)]
        assert _crc32(section) == 0, "a checksum over itself is nothing"
