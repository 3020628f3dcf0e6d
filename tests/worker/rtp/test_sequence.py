from __future__ import annotations

from touchline.worker.rtp.sequence import MOST_LOST, Sequence


def test_missing_packets_are_counted_across_the_end_of_the_numbers() -> None:
    sequence = Sequence()
    numbers = [65_533, 65_534, 1, 2]
    assert [sequence.missing(number, 0, 10) for number in numbers] == [0, 0, 2, 0]


def test_a_packet_that_comes_twice_is_read_once() -> None:
    sequence = Sequence()
    assert sequence.missing(5, 100, 10) == 0
    assert sequence.missing(6, 100, 10) == 0
    assert sequence.missing(5, 100, 10) is None
    assert sequence.missing(6, 999, 10) == 0, "the same number with other contents is a new packet"


def test_a_count_that_starts_again_drops_and_loses_nothing() -> None:
    sequence = Sequence()
    sequence.missing(30_000, 0, 10)
    assert sequence.missing(100, 1, 10) == 0
    assert sequence.missing(100 + MOST_LOST, 2, 10) == MOST_LOST - 1
    assert sequence.missing(101 + 2 * MOST_LOST, 3, 10) == 0, "too far for a loss"
