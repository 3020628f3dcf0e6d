from __future__ import annotations

import pytest

from touchline.worker.rtp.errors import StreamError
from touchline.worker.rtp.payload import MAX_UNIT_BYTES, Depacketiser, Unit


class Received:
    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.orphans: list[tuple[int, int]] = []
        self.reader = Depacketiser(
            self.units.append, lambda at, kind: self.orphans.append((at, kind))
        )

    def send(self, *payloads: bytes, at: int = 0) -> None:
        for payload in payloads:
            self.reader.payload(payload, at, 0)

    @property
    def found(self) -> list[tuple[bytes, bool]]:
        return [(unit.data, unit.whole) for unit in self.units]


def test_single_and_aggregated_units_are_passed_on_as_they_are() -> None:
    received = Received()
    received.send(b"\x65idr", b"\x78\0\3\x67sp\0\2\x68p")
    assert received.found == [(b"\x65idr", True), (b"\x67sp", True), (b"\x68p", True)]


def test_fragments_become_the_unit_that_was_split() -> None:
    received = Received()
    received.send(b"\x7c\x85ab", b"\x7c\x05cd", b"\x7c\x45ef", at=9)
    assert received.found == [(b"\x65abcdef", True)]
    assert received.units[0].rtp_time == 9


def test_a_unit_that_lacks_its_end_is_incomplete_and_one_without_beginning_an_orphan() -> None:
    received = Received()
    received.send(b"\x7c\x85ab")
    received.reader.lost()
    received.send(b"\x7c\x45ef", at=4)
    assert received.found == [(b"\x65ab", False)]
    assert received.orphans == [(4, 5)]


def test_a_missing_end_bit_without_a_loss_is_the_cameras_carelessness() -> None:
    received = Received()
    received.send(b"\x7c\x85ab", b"\x41next")
    received.send(b"\x7c\x85cd")
    received.reader.end()
    assert received.found == [(b"\x65ab", True), (b"\x41next", True), (b"\x65cd", False)]


def test_start_codes_in_packets_separate_units_and_zeros_at_the_end_are_no_data() -> None:
    received = Received()
    received.send(b"\0\0\0\1\x67s\0\0\1\x68p", b"\x41slice\0\0\0")
    assert received.found == [(b"\x67s", True), (b"\x68p", True), (b"\x41slice", True)]


def test_damage_is_counted_and_what_is_there_of_an_aggregate_is_passed_on() -> None:
    received = Received()
    received.send(b"", b"\x7c\x85", b"\x1f?", b"\x78\0\2\x67s\0\x09\x68p")
    assert received.reader.malformed == 3
    assert received.found == [(b"\x67s", True), (b"\x68p", False)]


def test_interleaved_packets_are_refused_with_the_setting_that_helps() -> None:
    received = Received()
    received.send(b"\x79x", b"\x79x")
    with pytest.raises(StreamError, match="packetization mode 1"):
        received.send(b"\x79x")


def test_a_picture_without_end_is_refused() -> None:
    received = Received()
    with pytest.raises(StreamError, match="16 MiB"):
        received.send(b"\x7c\x85a", b"\x7c\x05" + bytes(MAX_UNIT_BYTES))
