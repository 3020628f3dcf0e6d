from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.worker.rtsp.media.reordering import MAX_PACKETS, Reorderer

MS = 1_000_000


def packet(number: int, ssrc: int = 1) -> bytes:
    return b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big")


class Take:
    def __init__(self, latency_ms: int = 100) -> None:
        self.numbers: list[int] = []
        self.reorderer = Reorderer(
            latency_ms * MS, lambda data, _at: self.numbers.append(int.from_bytes(data[2:4], "big"))
        )

    def feed(self, *numbers: int, at_ms: int = 0, ssrc: int = 1) -> Take:
        for number in numbers:
            self.reorderer.packet(packet(number, ssrc), at_ms * MS)
        return self


@pytest.mark.parametrize(
    ("came", "delivered"),
    [
        ((5, 6, 7), [5, 6, 7]),
        ((5, 7, 6, 8), [5, 6, 7, 8]),
        ((5, 8, 7, 6), [5, 6, 7, 8]),
        ((65534, 65535, 0, 1), [65534, 65535, 0, 1]),
        ((65534, 0, 65535), [65534, 65535, 0]),
        ((5, 6, 6, 5, 7), [5, 6, 7]),
        ((5, 7, 7, 6), [5, 6, 7]),
        ((5, 6, 40000, 40001), [5, 6, 40000, 40001]),
    ],
)
def test_packets_are_delivered_in_the_order_of_their_numbers(
    came: tuple[int, ...], delivered: list[int]
) -> None:
    assert Take().feed(*came).numbers == delivered


def test_what_is_missing_is_waited_for_no_longer_than_was_said() -> None:
    take = Take(latency_ms=100).feed(1).feed(3, at_ms=10).feed(4, at_ms=90)
    take.reorderer.due(109 * MS)
    assert take.numbers == [1]
    assert take.reorderer.waiting
    take.reorderer.due(110 * MS)
    assert take.numbers == [1, 3, 4]
    take.feed(2, at_ms=120)
    assert take.numbers == [1, 3, 4]
    assert take.reorderer.late == 1


def test_a_second_gap_is_waited_for_from_its_own_beginning() -> None:
    take = Take(latency_ms=100).feed(1).feed(3, at_ms=0).feed(5, at_ms=80)
    take.reorderer.due(100 * MS)
    assert take.numbers == [1, 3]
    take.feed(4, at_ms=120)
    assert take.numbers == [1, 3, 4, 5]


def test_a_new_source_begins_at_once_and_what_waited_goes_first() -> None:
    take = Take().feed(1, 3).feed(100, ssrc=2)
    assert take.numbers == [1, 3, 100]


def test_packets_of_another_source_between_them_disturb_no_order() -> None:
    take = Take().feed(1).feed(100, ssrc=2).feed(3).feed(101, ssrc=2).feed(2)
    assert take.numbers == [1, 100, 101, 2, 3]


def test_a_source_that_returns_with_another_count_loses_nothing() -> None:
    take = Take().feed(1000, 1001).feed(5, ssrc=2).feed(900, 901, at_ms=1_500)
    assert take.numbers == [1000, 1001, 5, 900, 901]


def test_sources_that_are_over_are_forgotten() -> None:
    take = Take()
    for ssrc in range(20):
        take.feed(1, 3, ssrc=ssrc)
    assert len(take.numbers) == 39
    assert take.reorderer.waiting == 1


def test_what_waits_is_bounded() -> None:
    take = Take(latency_ms=10_000).feed(0)
    for turn in range(10):
        take.feed(*range(2 + turn * 1000, 1002 + turn * 1000))
    assert take.reorderer.waiting <= MAX_PACKETS


@given(st.lists(st.integers(0, 65535), max_size=60), st.integers(0, 65535))
def test_every_packet_that_is_not_late_or_doubled_is_delivered_in_the_end(
    numbers: list[int], first: int
) -> None:
    take = Take().feed(first, *numbers)
    take.reorderer.due(10**12)
    assert not take.reorderer.waiting
    assert set(take.numbers) <= {first, *numbers}
    assert len(take.numbers) + take.reorderer.late >= len({first, *numbers})
